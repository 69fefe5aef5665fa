/* SPDX-License-Identifier: MIT */
#include "render/stream/check_command.h"

/* ---- for the checks ---- */

bool check_refuse(struct stream_check *check, uint32_t index, uint64_t limit, const char *why)
{
	*check->fault = (struct stream_fault){ .command = check->command.shape->name,
		.field = stream_field_at(&check->command, index)->name,
		.value = check->words[index],
		.limit = limit,
		.why = why };
	return false;
}

bool check_refuse_quota(struct stream_check *check, uint32_t index)
{
	check_refuse(check, index, 0, "is over one of the guest's quotas");
	check->fault->over_quota = true;
	return false;
}

bool check_drop(struct stream_check *check)
{
	check->words[0] = stream_header(STREAM_NOP, STREAM_OBJECT_NULL, check->command.length);
	return true;
}

void check_insert_words(struct stream_check *check, const uint32_t *words, uint32_t n_words)
{
	g_array_append_vals(check->streams->copy, words, n_words);
}

void check_insert(struct stream_check *check, enum stream_number number, uint32_t length)
{
	uint32_t header = stream_header(number, STREAM_OBJECT_NULL, length);
	if (!check->copying)
		check_insert_words(check, check->stream, (uint32_t)(check->words - check->stream));
	check->copying = true;
	check_insert_words(check, &header, 1);
}

static uint32_t at_level(uint32_t size, uint32_t level)
{
	return level < 32 ? MAX(size >> level, 1) : 1;
}

struct check_size check_level_size(const struct stream_resource *resource, uint32_t level)
{
	bool is_3d = resource->target == STREAM_TARGET_3D;
	return (struct check_size){ .width = at_level(resource->width, level),
		.height = at_level(resource->height, level),
		.depth = is_3d ? at_level(resource->depth, level) : MAX(resource->array_size, 1) };
}

/* ---- what the table says ---- */

static bool check_handle(
	struct stream_check *check, uint32_t index, const struct stream_field *field)
{
	uint32_t handle = check->words[index];
	struct object *object = handle ? sub_find(check->context->current, handle) : NULL;
	if (object && (object->doomed || (field->limit != 0 && object->kind != field->limit)))
		object = NULL;
	g_assert(index <= STREAM_NAMING_WORDS_MAX);
	check->streams->named_objects[index] = object;
	if (object || field->flags & STREAM_LENIENT)
		return true;
	if (handle == 0)
		return field->flags & STREAM_OPTIONAL || check_refuse(check, index, 0, "is 0");
	return check_refuse(check, index, 0, "is no such object of this sub-context");
}

static uint8_t kind_of(const struct stream_resource *resource)
{
	if (resource->target != STREAM_TARGET_BUFFER)
		return STREAM_NEEDS_TEXTURE;
	bool has_gl = resource->bind != STREAM_BIND_CUSTOM && resource->bind != STREAM_BIND_STAGING;
	return has_gl ? STREAM_NEEDS_BUFFER : 0;
}

static bool check_resource_field(
	struct stream_check *check, uint32_t index, const struct stream_field *field)
{
	uint32_t id = check->words[index];
	struct stream_resource *resource =
		id ? g_hash_table_lookup(check->context->attached, GUINT_TO_POINTER(id)) : NULL;
	g_assert(index <= STREAM_NAMING_WORDS_MAX);
	check->streams->named_resources[index] = resource;
	if (id == 0 && field->flags & STREAM_OPTIONAL)
		return true;
	if (!resource)
		return check_refuse(check, index, 0, "is no resource of this context");
	uint8_t needed = field->flags & STREAM_NEEDS_GL;
	return needed == 0 || needed & kind_of(resource) ||
	       check_refuse(check, index, 0, "is a resource of another kind");
}

static bool check_slot(struct stream_check *check, uint32_t index, const struct stream_field *field)
{
	return check_fits(check->words[index], check->command.n_groups, field->limit) ||
	       check_refuse(check, index, field->limit, "with the slots after it is past the last");
}

static bool check_format(
	struct stream_check *check, uint32_t index, const struct stream_field *field)
{
	uint32_t mask = field->limit ? (1u << field->limit) - 1 : UINT32_MAX;
	uint32_t format = check->words[index] & mask;
	if (format >= STREAM_FORMATS)
		return check_refuse(check, index, STREAM_FORMATS - 1, "is no format");
	return (check->streams->formats[format / 32] & 1u << format % 32) ||
	       check_refuse(check, index, STREAM_FORMATS - 1, "is no format of virglrenderer's");
}

static bool check_kind(struct stream_check *check, uint32_t index, const struct stream_field *field)
{
	switch (field->kind) {
	case STREAM_MAKES:
		return check->words[index] != 0 || check_refuse(check, index, 0, "is 0");
	case STREAM_HANDLE:
		return check_handle(check, index, field);
	case STREAM_RESOURCE:
		return check_resource_field(check, index, field);
	case STREAM_STAGE:
		return check->words[index] < STREAM_STAGES ||
		       check_refuse(check, index, STREAM_STAGES - 1, "is no shader stage");
	case STREAM_ENUM:
		return check->words[index] < field->limit ||
		       check_refuse(check, index, field->limit - 1u, "is too large");
	case STREAM_SLOT:
		return check_slot(check, index, field);
	case STREAM_FORMAT:
		return check_format(check, index, field);
	default:
		return true;
	}
}

/* Is inline since most words are of kinds of which the table asks nothing. */
static inline bool check_field(
	struct stream_check *check, uint32_t index, const struct stream_field *field)
{
	return field->kind >= STREAM_CHECKED_KINDS || check_kind(check, index, field);
}

/*
 * Returns true when nothing is to be checked word by word: text and data, which go on to the
 * command's end.
 */
static bool is_bulk(const struct stream_shape *shape)
{
	return shape->n_group == 1 && shape->group->kind >= STREAM_CHECKED_KINDS;
}

/* Checks `n` words from word `index` on, which are `fields`. */
static bool check_words(
	struct stream_check *check, uint32_t index, const struct stream_field *fields, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!check_field(check, index + i, &fields[i]))
			return false;
	}
	return true;
}

static bool check_fields(struct stream_check *check)
{
	const struct stream_shape *shape = check->command.shape;
	if (!check_words(check, 1, shape->fields, MIN(check->command.length, shape->n_fields)))
		return false;
	if (shape->n_group == 0 || is_bulk(shape))
		return true;
	for (uint32_t i = 0; i < check->command.n_groups; i++) {
		uint32_t index = 1 + shape->n_fields + i * shape->n_group;
		if (!check_words(check, index, shape->group, shape->n_group))
			return false;
	}
	return true;
}

/* ---- what each command needs besides ---- */

/* Refuses blobs and video, which are offered in no capset and by no feature of the device. */
static bool check_not_offered(struct stream_check *check)
{
	return check_refuse(check, 1, 0, "belongs to what this device does not offer");
}

static const check_function functions[STREAM_NUMBERS] = {
	[STREAM_CREATE_OBJECT] = check_create_object,
	[STREAM_BIND_OBJECT] = check_bind_object,
	[STREAM_DESTROY_OBJECT] = check_destroy_object,
	[STREAM_SET_FRAMEBUFFER_STATE] = check_framebuffer,
	[STREAM_SET_VERTEX_BUFFERS] = check_vertex_buffers,
	[STREAM_DRAW_VBO] = check_draw,
	[STREAM_RESOURCE_INLINE_WRITE] = check_inline_write,
	[STREAM_SET_SAMPLER_VIEWS] = check_sampler_views,
	[STREAM_SET_INDEX_BUFFER] = check_index_buffer,
	[STREAM_SET_CONSTANT_BUFFER] = check_constants,
	[STREAM_BLIT] = check_blit,
	[STREAM_RESOURCE_COPY_REGION] = check_copy_region,
	[STREAM_BIND_SAMPLER_STATES] = check_sampler_states,
	[STREAM_SET_STREAMOUT_TARGETS] = check_streamout_targets,
	[STREAM_SET_RENDER_CONDITION] = check_render_condition,
	[STREAM_SET_UNIFORM_BUFFER] = check_uniform_buffer,
	[STREAM_SET_SUB_CTX] = check_set_sub,
	[STREAM_CREATE_SUB_CTX] = check_create_sub,
	[STREAM_DESTROY_SUB_CTX] = check_destroy_sub,
	[STREAM_BIND_SHADER] = check_bind_shader,
	[STREAM_SET_SHADER_BUFFERS] = check_shader_buffers,
	[STREAM_SET_SHADER_IMAGES] = check_shader_images,
	[STREAM_LAUNCH_GRID] = check_launch_grid,
	[STREAM_SET_ATOMIC_BUFFERS] = check_atomic_buffers,
	/*
	 * This is a debugging aid of virglrenderer's. Its newest version writes streams into files.
	 */
	[STREAM_SET_DEBUG_FLAGS] = check_drop,
	[STREAM_BEGIN_QUERY] = check_begin_query,
	[STREAM_END_QUERY] = check_end_query,
	[STREAM_GET_QUERY_RESULT] = check_query_result,
	[STREAM_GET_QUERY_RESULT_QBO] = check_query_buffer,
	[STREAM_TRANSFER3D] = check_transfer,
	[STREAM_COPY_TRANSFER3D] = check_copy_transfer,
	[STREAM_CLEAR_TEXTURE] = check_clear_texture,
	[STREAM_PIPE_RESOURCE_CREATE] = check_not_offered,
	[STREAM_PIPE_RESOURCE_SET_TYPE] = check_not_offered,
	[STREAM_GET_MEMORY_INFO] = check_memory_info,
	[STREAM_SEND_STRING_MARKER] = check_string_marker,
	[STREAM_LINK_SHADER] = check_link_shader,
	[STREAM_CREATE_VIDEO_CODEC] = check_not_offered,
	[STREAM_DESTROY_VIDEO_CODEC] = check_not_offered,
	[STREAM_CREATE_VIDEO_BUFFER] = check_not_offered,
	[STREAM_DESTROY_VIDEO_BUFFER] = check_not_offered,
	[STREAM_BEGIN_FRAME] = check_not_offered,
	[STREAM_DECODE_MACROBLOCK] = check_not_offered,
	[STREAM_DECODE_BITSTREAM] = check_not_offered,
	[STREAM_ENCODE_BITSTREAM] = check_not_offered,
	[STREAM_END_FRAME] = check_not_offered,
	[STREAM_GET_PIPE_RESOURCE_LAYOUT] = check_layout,
};

static bool check_command(struct stream_check *check)
{
	check_function function = functions[check->command.number];
	return check_fields(check) && (!function || function(check));
}

/* ---- the stream ---- */

/* Returns true for commands that are the same in each sub-context. Mesa's streams may begin so. */
static bool is_of_context(const struct stream_command *command)
{
	return command->number == STREAM_NOP || command->number == STREAM_TRANSFER3D ||
	       command->number == STREAM_COPY_TRANSFER3D || command->number == STREAM_END_TRANSFERS;
}

static bool makes_sub_current(const struct stream_check *check)
{
	if (check->command.number == STREAM_SET_SUB_CTX)
		return context_has_sub(check->context, check->words[1]);
	return check->command.number == STREAM_CREATE_SUB_CTX &&
	       !context_has_sub(check->context, check->words[1]);
}

/*
 * Puts the current sub-context before a stream's first command that does not name it. Where the
 * result of a query was not there yet virglrenderer goes to that query's sub-context later on,
 * between two streams, and stays there.
 */
static void name_sub(struct stream_check *check)
{
	if (check->is_sub_named || is_of_context(&check->command))
		return;
	check->is_sub_named = true;
	if (makes_sub_current(check))
		return;
	check_insert(check, STREAM_SET_SUB_CTX, 1);
	check_insert_words(check, &check->context->current->id, 1);
}

static uint32_t check_stream(struct stream_check *check, uint32_t *words, uint32_t n_words)
{
	uint32_t at = 0;
	while (at < n_words) {
		check->words = words + at;
		bool is_whole =
			stream_decode(check->words, n_words - at, &check->command, check->fault);
		if (is_whole)
			name_sub(check);
		if (!is_whole || !check_command(check)) {
			check->context->lost = true;
			break;
		}
		uint32_t length = check->command.length + 1;
		if (check->copying)
			g_array_append_vals(check->streams->copy, check->words, length);
		at += length;
	}
	return at;
}

bool streams_check(struct streams *streams, uint32_t id, uint32_t *words, uint32_t n_words,
	struct stream_passed *passed, struct stream_fault *fault)
{
	struct context *context = g_hash_table_lookup(streams->contexts, GUINT_TO_POINTER(id));
	struct stream_check check = {
		.streams = streams, .context = context, .fault = fault, .stream = words
	};
	g_assert(context);
	check.is_sub_named = g_hash_table_size(context->subs) == 1;
	*passed = (struct stream_passed){ .words = words };
	*fault = (struct stream_fault){
		.command = "stream", .field = "context", .value = id, .why = "is lost"
	};
	if (context->lost)
		return false;
	g_array_set_size(streams->copy, 0);
	passed->n_words = check_stream(&check, words, n_words);
	if (check.copying)
		*passed = (struct stream_passed){ .words = (uint32_t *)streams->copy->data,
			.n_words = streams->copy->len };
	return !context->lost;
}
