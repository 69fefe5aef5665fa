/* SPDX-License-Identifier: MIT */
/*
 * These commands move pixels and bytes between resources, and between them and the guest's memory.
 */
#include "render/stream/check_command.h"

struct box {
	uint32_t x, y, z, width, height, depth;
};

static struct box read_box(const struct stream_check *check, uint32_t index)
{
	const uint32_t *w = check->words + index;
	return (struct box){ w[0], w[1], w[2], w[3], w[4], w[5] };
}

static bool is_inside(const struct box *box, const struct check_size *size)
{
	return check_fits(box->x, box->width, size->width) &&
	       check_fits(box->y, box->height, size->height) &&
	       check_fits(box->z, box->depth, size->depth);
}

/* ---- transfers: resource, level, usage, stride, layer stride, box ---- */

enum { LEVEL = 2, ROW_STRIDE = 4, LAYER_STRIDE = 5, BOX = 6, AFTER_BOX = 12 };

/*
 * Refuses strides that make a transfer too large. virglrenderer checks boxes and sizes, too, but
 * with signs, and keeps a size in 32 bits that is a product of 96. Of what passes here no size is
 * cut off. The block size of compressed formats is unknown here; they take less than what is
 * counted.
 */
static bool check_strides(struct stream_check *check, const struct stream_resource *resource,
	const struct box *box, const struct check_size *size)
{
	uint64_t stride = check->words[ROW_STRIDE];
	uint64_t layer_stride = check->words[LAYER_STRIDE];
	if (stride == 0)
		stride = (uint64_t)size->width * resource->pixel_bytes;
	if (layer_stride == 0)
		layer_stride = stride * size->height;
	uint64_t rows = box->height > 0 ? stride * (box->height - 1) : 0;
	uint64_t layers = box->depth > 0 ? layer_stride * (box->depth - 1) : 0;
	uint64_t row = (uint64_t)box->width * resource->pixel_bytes;
	return rows + layers + row <= STREAM_TRANSFER_BYTES_MAX ||
	       check_refuse(check, ROW_STRIDE, STREAM_TRANSFER_BYTES_MAX,
		       "makes the transfer larger than any");
}

static bool check_box(struct stream_check *check, const struct stream_resource *resource)
{
	struct box box = read_box(check, BOX);
	if (check->words[LEVEL] > resource->last_level)
		return check_refuse(
			check, LEVEL, resource->last_level, "is no level of the resource");
	struct check_size size = check_level_size(resource, check->words[LEVEL]);
	if (!is_inside(&box, &size))
		return check_refuse(
			check, BOX, size.width, "begins a box that reaches out of the resource");
	return check_strides(check, resource, &box, &size);
}

/*
 * Refuses a transfer that needs more memory than one may, as the same transfer outside of a stream:
 * virglrenderer copies where a backing is in pieces or GL wants it in other rows.
 */
static bool check_staging(struct stream_check *check, const struct stream_resource *resource)
{
	struct box box = read_box(check, BOX);
	uint64_t pixels = (uint64_t)box.width * box.height * box.depth;
	bool is_buffer = resource->target == STREAM_TARGET_BUFFER;
	uint64_t bytes = is_buffer ? box.width : pixels * resource->pixel_bytes;
	return quota_allows(check->context->account, QUOTA_STAGING_BYTES, bytes) ||
	       check_refuse_quota(check, BOX);
}

static bool check_offset(struct stream_check *check, uint32_t index, uint64_t room)
{
	return check->words[index] <= room ||
	       check_refuse(check, index, room, "is past the end of the backing");
}

/*
 * Leaves out a transfer of nothing, and one of pixels of several samples, which GL has none of.
 * Layers of no height need no distance from each other, but of a one-dimensional array
 * virglrenderer has GL take each layer for a row all the same, as far behind the memory as they
 * reach. Of layers of several samples it has memory for one, and gives the guest what lies where
 * another would be.
 */
static bool drop_untransferable(struct stream_check *check, const struct stream_resource *resource)
{
	struct box box = read_box(check, BOX);
	bool is_empty = box.width == 0 || box.height == 0 || box.depth == 0;
	return (!is_empty && resource->samples == 0) || check_drop(check);
}

/*
 * Does not ask for a backing: a texture that lies elsewhere may have none, and then nothing is
 * transferred.
 */
bool check_transfer(struct stream_check *check)
{
	const struct stream_resource *resource = check_resource(check, 1);
	uint32_t direction = check->words[AFTER_BOX + 1];
	if (direction != 1 && direction != 2)
		return check_refuse(check, AFTER_BOX + 1, 2, "is no direction");
	return check_box(check, resource) &&
	       check_offset(check, AFTER_BOX, resource->backing_bytes) &&
	       check_staging(check, resource) && drop_untransferable(check, resource);
}

bool check_copy_transfer(struct stream_check *check)
{
	const struct stream_resource *resource = check_resource(check, 1);
	const struct stream_resource *staging = check_resource(check, AFTER_BOX);
	return check_box(check, resource) &&
	       check_offset(check, AFTER_BOX + 1, staging->backing_bytes) &&
	       check_staging(check, resource) && drop_untransferable(check, resource);
}

bool check_inline_write(struct stream_check *check)
{
	const struct stream_resource *resource = check_resource(check, 1);
	return check_box(check, resource) && drop_untransferable(check, resource);
}

/* ---- copies ---- */

/*
 * Returns true for formats of blocks of pixels (virgl_hw.h): DXT to RGTC and subsampled, LATC, ETC1
 * and subsampled, BPTC, ETC2 and ASTC. Those that came after 0.10.4 all count as such, as it is not
 * worth telling them apart.
 */
static bool is_of_blocks(uint32_t format)
{
	static const struct {
		uint16_t first, last;
	} ranges[] = { { 105, 118 }, { 143, 146 }, { 226, 228 }, { 255, 258 }, { 269, 306 },
		{ STREAM_FORMATS_OLD, UINT16_MAX } };
	for (unsigned i = 0; i < G_N_ELEMENTS(ranges); i++) {
		if (format >= ranges[i].first && format <= ranges[i].last)
			return true;
	}
	return false;
}

/*
 * Returns how far a box may reach. Boxes of compressed textures are whole blocks, which small
 * levels are not.
 */
static struct check_size size_of_texture(const struct stream_resource *texture, uint32_t level)
{
	enum { BLOCK = 12 }; /* pixels: no format has larger ones */
	struct check_size size = check_level_size(texture, level);
	if (is_of_blocks(texture->format)) {
		size.width += BLOCK - 1;
		size.height += BLOCK - 1;
	}
	return size;
}

static bool check_levels(struct stream_check *check, uint32_t to, uint32_t from)
{
	const struct stream_resource *destination = check_resource(check, to);
	const struct stream_resource *source = check_resource(check, from);
	if (check->words[to + 1] > destination->last_level)
		return check_refuse(
			check, to + 1, destination->last_level, "is no level of the destination");
	return check->words[from + 1] <= source->last_level ||
	       check_refuse(check, from + 1, source->last_level, "is no level of the source");
}

/* Makes pixels the number of blocks that they are of, also those of which they are a part alone. */
static void count_blocks(uint32_t format, uint32_t *width, uint32_t *height)
{
	enum { FIRST_ASTC = 279, LAST_ASTC = 306 };
	/* ASTC's are in this order, and again as sRGB. All others that GL copies from are 4 x 4. */
	static const uint8_t astc[][2] = { { 4, 4 }, { 5, 4 }, { 5, 5 }, { 6, 5 }, { 6, 6 },
		{ 8, 5 }, { 8, 6 }, { 8, 8 }, { 10, 5 }, { 10, 6 }, { 10, 8 }, { 10, 10 },
		{ 12, 10 }, { 12, 12 } };
	bool is_astc = format >= FIRST_ASTC && format <= LAST_ASTC;
	const uint8_t *block = astc[is_astc ? (format - FIRST_ASTC) % G_N_ELEMENTS(astc) : 0];
	*width = *width / block[0] + (*width % block[0] != 0);
	*height = *height / block[1] + (*height % block[1] != 0);
}

/*
 * Returns false where the copy would reach out of the destination. GL does not copy then, but Mesa
 * adds an offset and a size with a sign, and 22.3 writes where the sum is beyond 2^31. Between
 * compressed pixels and others the box has another size in the destination. Of blocks that become
 * pixels Mesa counts only the whole ones (25.0, too), and its software renderer writes those that
 * are cut off as well. Of pixels that become blocks only the beginning is held to the destination:
 * no size comes near 2^31, and GL checks the rest.
 */
static bool is_inside_destination(const struct stream_check *check,
	const struct stream_resource *destination, const struct stream_resource *source,
	const struct box *box)
{
	const uint32_t *w = check->words + 3;
	struct check_size size = size_of_texture(destination, check->words[2]);
	struct box to = { w[0], w[1], w[2], box->width, box->height, box->depth };
	bool from_blocks = is_of_blocks(source->format);
	if (from_blocks && !is_of_blocks(destination->format))
		count_blocks(source->format, &to.width, &to.height);
	else if (!from_blocks && is_of_blocks(destination->format))
		to.width = to.height = 0;
	return is_inside(&to, &size);
}

/*
 * Returns true where virglrenderer would copy what it has not read. Between pixels of different
 * samples (where 0 and 1 differ, too) it may have GL read the source into memory, which it makes as
 * large as one layer, or as the faces of a cube, and in some versions looks at no end of it. GL has
 * no such copies, and one of the first layer alone stays inside.
 */
static bool has_unread_layers(const struct stream_resource *destination,
	const struct stream_resource *source, const struct box *box)
{
	return destination->samples != source->samples && box->z + box->depth > 1;
}

/*
 * Passes on a copy of several faces of a cube as one for each: where GL has no copies of its own,
 * virglrenderer lets GL take as many faces behind each of them as the box has.
 */
static bool split_faces(struct stream_check *check)
{
	enum { LENGTH = 13, TO_Z = 5, FROM_Z = 10, DEPTH = 13 };
	uint32_t *words = check->words, depth = words[DEPTH];
	for (words[DEPTH] = 1; depth > 1; depth--) {
		check_insert(check, STREAM_RESOURCE_COPY_REGION, LENGTH);
		check_insert_words(check, words + 1, LENGTH);
		words[TO_Z]++;
		words[FROM_Z]++;
	}
	return true;
}

/*
 * Checks that the box lies in the source, since virglrenderer reads some sources whole and takes
 * from that what the box says.
 */
bool check_copy_region(struct stream_check *check)
{
	const struct stream_resource *destination = check_resource(check, 1);
	const struct stream_resource *source = check_resource(check, 6);
	bool is_buffer = source->target == STREAM_TARGET_BUFFER;
	if ((destination->target == STREAM_TARGET_BUFFER) != is_buffer)
		return check_refuse(check, 6, 0, "is a buffer and the destination none, or both");
	if (!check_levels(check, 1, 6))
		return false;
	struct box box = read_box(check, 8);
	struct check_size size = size_of_texture(source, check->words[7]);
	if (!is_inside(&box, &size) || !is_inside_destination(check, destination, source, &box) ||
		has_unread_layers(destination, source, &box))
		return check_drop(check);
	bool is_cut = source->target == STREAM_TARGET_CUBE &&
		      destination->target != STREAM_TARGET_CUBE && box.depth > 1;
	return !is_cut || split_faces(check);
}

/* Returns how many layers or slices the level has that the word after `index` names. */
static uint32_t get_layers(const struct stream_check *check, uint32_t index)
{
	return check_level_size(check_resource(check, index), check->words[index + 1]).depth;
}

/*
 * Drops a blit with boxes so far away that sums of coordinates may overflow. GL cuts off what lies
 * outside only after that. One with more layers than the destination has is dropped, too: for each
 * of them virglrenderer draws, and GL has none to draw to.
 */
bool check_blit(struct stream_check *check)
{
	enum { FAR = 1 << 24, TO_DEPTH = 12 };
	if (!check_levels(check, 4, 13))
		return false;
	for (uint32_t i = 0; i < 6; i++) {
		int32_t to = (int32_t)check->words[7 + i], from = (int32_t)check->words[16 + i];
		if (to < -FAR || to > FAR || from < -FAR || from > FAR)
			return check_drop(check);
	}
	int32_t depth = (int32_t)check->words[TO_DEPTH];
	return depth <= (int32_t)get_layers(check, 4) || check_drop(check);
}

bool check_clear_texture(struct stream_check *check)
{
	const struct stream_resource *resource = check_resource(check, 1);
	struct box box = read_box(check, 3);
	if (check->words[LEVEL] > resource->last_level)
		return check_refuse(
			check, LEVEL, resource->last_level, "is no level of the resource");
	struct check_size size = check_level_size(resource, check->words[LEVEL]);
	return is_inside(&box, &size) || check_drop(check);
}
