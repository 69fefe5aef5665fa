/* SPDX-License-Identifier: MIT */
/* spice_sasl: reads SPICE's messages of SASL cut at every byte, and with lengths that are wrong. */
#include "display/relay/spice_sasl.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

static void put_length(GByteArray *bytes, uint32_t length)
{
	uint32_t word = GUINT32_TO_LE(length);
	g_byte_array_append(bytes, (const guint8 *)&word, sizeof(word));
}

static void put_text(GByteArray *bytes, const char *text, size_t n)
{
	put_length(bytes, (uint32_t)n);
	g_byte_array_append(bytes, (const guint8 *)text, (guint)n);
}

/* Every beginning of it asks for more, and what follows does not matter. */
static void check_whole(const GByteArray *bytes, size_t whole_bytes, struct spice_sasl_start *start)
{
	for (size_t n = 0; n < whole_bytes; n++) {
		g_autofree uint8_t *copy = g_memdup2(bytes->data, n);
		g_assert_cmpint(spice_sasl_read_start(copy, n, start), ==, 0);
	}
	g_assert_cmpint(spice_sasl_read_start(bytes->data, whole_bytes, start), ==, whole_bytes);
	g_assert_cmpint(spice_sasl_read_start(bytes->data, bytes->len, start), ==, whole_bytes);
}

static void test_start(void)
{
	struct spice_sasl_start start;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	put_text(bytes, "PLAIN", 5);
	put_text(bytes, "\0a\0b", 5);
	size_t whole_bytes = bytes->len;
	put_text(bytes, "more", 4);
	check_whole(bytes, whole_bytes, &start);
	g_assert_cmpstr(start.mechanism, ==, "PLAIN");
	g_assert_cmpmem(start.datum.bytes, start.datum.size_bytes, "\0a\0b", 4);
}

/* None, and one without bytes, are two. */
static void test_none(void)
{
	struct spice_sasl_start start;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	put_text(bytes, "X", 1);
	put_length(bytes, 0);
	check_whole(bytes, bytes->len, &start);
	g_assert_null(start.datum.bytes);
	g_byte_array_set_size(bytes, 0);
	put_text(bytes, "X", 1);
	put_text(bytes, "", 1);
	check_whole(bytes, bytes->len, &start);
	g_assert_nonnull(start.datum.bytes);
	g_assert_cmpuint(start.datum.size_bytes, ==, 0);
}

/* It is known from the length alone. */
static void test_lengths(void)
{
	static const uint32_t names[] = { 0, SPICE_SASL_NAME_MAX + 1, INT32_MAX, UINT32_MAX,
		(uint32_t)-4 };
	static const uint32_t data[] = { SPICE_SASL_DATUM_MAX + 1, 1024 * 1024, INT32_MAX,
		UINT32_MAX, (uint32_t)-4 };
	struct spice_sasl_start start;
	struct spice_sasl_datum datum;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
		g_byte_array_set_size(bytes, 0);
		put_length(bytes, names[i]);
		g_assert_cmpint(
			spice_sasl_read_start(bytes->data, bytes->len, &start), ==, -EPROTO);
	}
	for (unsigned i = 0; i < G_N_ELEMENTS(data); i++) {
		g_byte_array_set_size(bytes, 0);
		put_length(bytes, data[i]);
		g_assert_cmpint(
			spice_sasl_read_datum(bytes->data, bytes->len, &datum), ==, -EPROTO);
		g_byte_array_set_size(bytes, 0);
		put_text(bytes, "X", 1);
		put_length(bytes, data[i]);
		g_assert_cmpint(
			spice_sasl_read_start(bytes->data, bytes->len, &start), ==, -EPROTO);
	}
}

static void test_longest(void)
{
	struct spice_sasl_start start;
	g_autofree char *name = g_strnfill(SPICE_SASL_NAME_MAX, 'N');
	g_autofree char *text = g_strnfill(SPICE_SASL_DATUM_MAX, 'd');
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	put_text(bytes, name, SPICE_SASL_NAME_MAX);
	put_text(bytes, text, SPICE_SASL_DATUM_MAX);
	check_whole(bytes, bytes->len, &start);
	g_assert_cmpstr(start.mechanism, ==, name);
	g_assert_cmpuint(start.datum.size_bytes, ==, SPICE_SASL_DATUM_MAX - 1);
	/* The relay's pipe must hold it. */
	g_assert_cmpuint(bytes->len, <=, PIPE_BYTES);
}

static void test_name_with_nul(void)
{
	struct spice_sasl_start start;
	g_autoptr(GByteArray) bytes = g_byte_array_new();
	put_text(bytes, "PLAIN\0,X", 8);
	g_assert_cmpint(spice_sasl_read_start(bytes->data, bytes->len, &start), ==, -EPROTO);
}

static void test_answers(void)
{
	static const uint8_t list[] = { 3, 0, 0, 0, ',', 'A', ',' };
	static const uint8_t goes_on[] = { 3, 0, 0, 0, 'h', 'i', 0, 0 };
	static const uint8_t done[] = { 0, 0, 0, 0, 1 };
	uint8_t bytes[SPICE_SASL_ANSWER_BYTES_MAX];
	g_autofree uint8_t *large = g_malloc0(SPICE_SASL_DATUM_MAX + 1);
	struct spice_sasl_datum datum = { (const uint8_t *)"hi", 2 };
	g_assert_cmpmem(list, sizeof(list), bytes, spice_sasl_make_list(",A,", bytes));
	g_assert_cmpmem(
		goes_on, sizeof(goes_on), bytes, spice_sasl_make_answer(&datum, false, bytes));
	datum = (struct spice_sasl_datum){ 0 };
	g_assert_cmpmem(done, sizeof(done), bytes, spice_sasl_make_answer(&datum, true, bytes));
	datum = (struct spice_sasl_datum){ large, SPICE_SASL_DATUM_MAX };
	g_assert_cmpuint(spice_sasl_make_answer(&datum, true, bytes), ==, sizeof(bytes));
	datum.size_bytes++;
	g_assert_cmpuint(spice_sasl_make_answer(&datum, true, bytes), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/spice-sasl/start", test_start);
	g_test_add_func("/spice-sasl/none", test_none);
	g_test_add_func("/spice-sasl/lengths", test_lengths);
	g_test_add_func("/spice-sasl/longest", test_longest);
	g_test_add_func("/spice-sasl/name-with-nul", test_name_with_nul);
	g_test_add_func("/spice-sasl/answers", test_answers);
	return g_test_run();
}
