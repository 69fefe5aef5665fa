/* SPDX-License-Identifier: MIT */
/*
 * sasl_talk: has a client of the same library log in, right and wrong, by each mechanism, and says
 * what no client says.
 */
#include <string.h>
#include <time.h>

#include "display/relay/sasl_talk.h"
#include "display/relay/scram_keys.h"
#include "tests/unit/display/relay/sasl_client.h"

#define SECRET "correct horse"

static unsigned n_found;

static bool find(void *user, const char *name, char secret[TICKETS_SECRET_MAX + 1])
{
	n_found++;
	if (!g_str_equal(name, "alice"))
		return false;
	g_strlcpy(secret, SECRET, TICKETS_SECRET_MAX + 1);
	return true;
}

static struct sasl_talk *create(void)
{
	n_found = 0;
	struct sasl_talk *talk = sasl_talk_create(find, NULL);
	g_assert_nonnull(talk);
	return talk;
}

static struct spice_sasl_start make_start(const char *mechanism, const char *bytes, size_t n)
{
	struct spice_sasl_start start = { .datum = { (const uint8_t *)bytes, n } };
	g_strlcpy(start.mechanism, mechanism, sizeof(start.mechanism));
	return start;
}

/* ---- clients ---- */

/* Lets both speak until one has finished. Returns how it is for the server. */
static enum sasl_talk_state talk_through(
	struct sasl_talk *talk, struct sasl_client *client, const char *mechanism)
{
	const char *bytes = NULL;
	unsigned n = 0;
	struct spice_sasl_datum answer;
	g_assert_true(sasl_client_begin(client, &bytes, &n));
	struct spice_sasl_start start = make_start(mechanism, bytes, n);
	enum sasl_talk_state state = sasl_talk_start(talk, &start, &answer);
	while (state == SASL_TALK_GOES_ON) {
		g_assert_true(
			sasl_client_go_on(client, answer.bytes, answer.size_bytes, &bytes, &n));
		const struct spice_sasl_datum datum = { (const uint8_t *)bytes, n };
		state = sasl_talk_step(talk, &datum, &answer);
	}
	if (state == SASL_TALK_DONE && answer.bytes)
		g_assert_true(
			sasl_client_go_on(client, answer.bytes, answer.size_bytes, &bytes, &n));
	return state;
}

static const struct login_case {
	const char *path, *mechanism, *name, *password, *as;
	bool fails;         /* else it is done, and `password` is to be judged */
	const char *secret; /* that it comes to; NULL: one that nobody has */
} cases[] = {
	{ "sha-256", "SCRAM-SHA-256", "alice", SECRET, NULL, false, SECRET },
	{ "sha-1", "SCRAM-SHA-1", "alice", SECRET, NULL, false, SECRET },
	{ "plain", "PLAIN", "alice", SECRET, NULL, false, SECRET },
	{ "as-oneself", "SCRAM-SHA-256", "alice", SECRET, "alice", false, SECRET },
	{ "sha-256-wrong", "SCRAM-SHA-256", "alice", "wrong", NULL, true, NULL },
	{ "sha-1-wrong", "SCRAM-SHA-1", "alice", "wrong", NULL, true, NULL },
	{ "plain-wrong", "PLAIN", "alice", "wrong", NULL, false, "wrong" },
	{ "sha-256-unknown", "SCRAM-SHA-256", "bob", SECRET, NULL, true, NULL },
	{ "plain-unknown", "PLAIN", "bob", SECRET, NULL, false, SECRET },
	{ "longer", "SCRAM-SHA-256", "alice", SECRET "!", NULL, true, NULL },
	{ "as-another", "SCRAM-SHA-256", "alice", SECRET, "root", true, NULL },
	{ "plain-as-another", "PLAIN", "alice", SECRET, "root", true, NULL },
	{ "comma", "SCRAM-SHA-256", "a,b=c", SECRET, NULL, true, NULL },
};

static void check_secret(const struct sasl_talk *talk, const char *wanted)
{
	const char *secret = sasl_talk_secret(talk);
	if (wanted)
		g_assert_cmpstr(secret, ==, wanted);
	else
		g_assert_cmpuint(strlen(secret), >, TICKETS_SECRET_MAX);
}

static void test_login(gconstpointer user)
{
	const struct login_case *login = user;
	struct sasl_talk *talk = create();
	struct sasl_client *client =
		sasl_client_create(login->mechanism, login->name, login->password, login->as);
	enum sasl_talk_state state = talk_through(talk, client, login->mechanism);
	g_assert_cmpint(state, ==, login->fails ? SASL_TALK_FAILED : SASL_TALK_DONE);
	g_assert_true(login->fails || sasl_client_is_done(client));
	g_assert_cmpstr(sasl_talk_name(talk), ==, login->name);
	g_assert_cmpuint(n_found, ==, g_str_equal(login->mechanism, "PLAIN") ? 0 : 1);
	check_secret(talk, login->secret);
	sasl_client_destroy(client);
	sasl_talk_destroy(talk);
}

/* ---- what no client says ---- */

static enum sasl_talk_state start_with(
	struct sasl_talk *talk, const char *mechanism, const char *bytes, size_t n)
{
	struct spice_sasl_datum answer;
	struct spice_sasl_start start = make_start(mechanism, bytes, n);
	g_assert_cmpuint(n, <, SPICE_SASL_DATUM_MAX);
	return sasl_talk_start(talk, &start, &answer);
}

/* The library loses memory with names that are longer yet, as leak checkers see. */
static void test_longest(void)
{
	g_autofree char *name = g_strnfill(SPICE_SASL_DATUM_MAX - 4, 'a');
	g_autofree char *plain = g_strdup_printf("%c%s%cp", 1, name, 1);
	size_t n = strlen(plain);
	plain[0] = plain[n - 2] = '\0';
	struct sasl_talk *talk = create();
	g_assert_cmpint(start_with(talk, "PLAIN", plain, n), ==, SASL_TALK_DONE);
	g_assert_cmpuint(strlen(sasl_talk_name(talk)), ==, TICKETS_USER_MAX + 1);
	sasl_talk_destroy(talk);

	name[SPICE_SASL_DATUM_MAX - 40] = '\0';
	g_autofree char *scram = g_strdup_printf("n,,n=%s,r=abcdefghijklmnop", name);
	talk = create();
	g_assert_cmpint(
		start_with(talk, "SCRAM-SHA-256", scram, strlen(scram)), ==, SASL_TALK_GOES_ON);
	g_assert_cmpuint(strlen(sasl_talk_name(talk)), ==, TICKETS_USER_MAX + 1);
	sasl_talk_destroy(talk);
}

/* The library cuts blanks off, and nobody is called "". */
static void test_blank(void)
{
	static const char plain[] = "\0   \0" SECRET, scram[] = "n,,n=   ,r=abcdefghijklmnop";
	struct sasl_talk *talk = create();
	start_with(talk, "PLAIN", plain, sizeof(plain) - 1);
	g_assert_cmpstr(sasl_talk_name(talk), ==, "");
	sasl_talk_destroy(talk);
	talk = create();
	start_with(talk, "SCRAM-SHA-1", scram, sizeof(scram) - 1);
	g_assert_cmpstr(sasl_talk_secret(talk), !=, SECRET);
	sasl_talk_destroy(talk);
}

/* A name and a password that are too long are nobody's. */
static void test_long(void)
{
	static const char plain[] =
		"\0"
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"\0"
		"0123456789012345678901234567890123456789012345678901234567890123456789";
	struct sasl_talk *talk = create();
	g_assert_cmpint(start_with(talk, "PLAIN", plain, sizeof(plain) - 1), ==, SASL_TALK_DONE);
	g_assert_cmpuint(strlen(sasl_talk_name(talk)), ==, TICKETS_USER_MAX + 1);
	g_assert_cmpuint(strlen(sasl_talk_secret(talk)), ==, TICKETS_SECRET_MAX + 1);
	sasl_talk_destroy(talk);
}

static void test_wrong_starts(void)
{
	static const struct {
		const char *mechanism, *bytes;
		size_t n;
	} starts[] = {
		{ "ANONYMOUS", "a", 1 },
		{ "DIGEST-MD5", "", 0 },
		{ "EXTERNAL", "", 0 },
		{ "LOGIN", NULL, 0 },
		{ "GSSAPI", NULL, 0 },
		{ "SCRAM-SHA-256-PLUS", "p=x,,n=alice,r=abcdefghijklmnop", 31 },
		{ "SCRAM-SHA-512", "n,,n=alice,r=abcdefghijklmnop", 29 },
		{ "scram-sha-256", "n,,n=alice,r=abcdefghijklmnop", 29 },
		{ ",", NULL, 0 },
		{ "SCRAM-SHA-256", "n,,n=,r=abcdefghijklmnop", 24 },
		{ "SCRAM-SHA-256", "n,,n=al\0ce,r=abcdefghijklmnop", 29 },
		{ "SCRAM-SHA-256", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12 },
		{ "PLAIN", "\0\0\0\0\0", 5 },
		{ "PLAIN", "alice", 5 },
		{ "PLAIN", "\0alice", 6 },
	};
	for (unsigned i = 0; i < G_N_ELEMENTS(starts); i++) {
		struct spice_sasl_datum answer;
		struct sasl_talk *talk = create();
		struct spice_sasl_start start =
			make_start(starts[i].mechanism, starts[i].bytes, starts[i].n);
		g_test_message("%s, start %u", start.mechanism, i);
		g_assert_cmpint(sasl_talk_start(talk, &start, &answer), ==, SASL_TALK_FAILED);
		check_secret(talk, NULL);
		sasl_talk_destroy(talk);
	}
}

/* Who says nothing with the mechanism's name may say the first datum after it. */
static void test_late_first(void)
{
	static const char first[] = "\0alice\0" SECRET;
	const struct spice_sasl_datum datum = { (const uint8_t *)first, sizeof(first) - 1 };
	struct spice_sasl_datum answer;
	struct sasl_talk *talk = create();
	struct spice_sasl_start start = make_start("PLAIN", NULL, 0);
	g_assert_cmpint(sasl_talk_start(talk, &start, &answer), ==, SASL_TALK_GOES_ON);
	g_assert_cmpuint(answer.size_bytes, ==, 0);
	g_assert_cmpint(sasl_talk_step(talk, &datum, &answer), ==, SASL_TALK_DONE);
	check_secret(talk, SECRET);
	sasl_talk_destroy(talk);
}

/* Whoever is asked to go on and says nothing of use, for as long as that is heard. */
static void test_wrong_steps(void)
{
	static const char first[] = "n,,n=alice,r=abcdefghijklmnop";
	static const char *const steps[] = { NULL, "", "c=biws",
		"c=biws,r=abcdefghijklmnop,p=eA==", "n,,n=alice,r=abcdefghijklmnop",
		"\377\377\377\377" };
	for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
		struct spice_sasl_datum answer,
			datum = { (const uint8_t *)steps[i], steps[i] ? strlen(steps[i]) : 0 };
		struct sasl_talk *talk = create();
		struct spice_sasl_start start =
			make_start("SCRAM-SHA-256", first, sizeof(first) - 1);
		g_assert_cmpint(sasl_talk_start(talk, &start, &answer), ==, SASL_TALK_GOES_ON);
		check_secret(talk, NULL);
		enum sasl_talk_state state = SASL_TALK_GOES_ON;
		for (unsigned n = 1; n < SASL_TALK_STEPS_MAX && state == SASL_TALK_GOES_ON; n++)
			state = sasl_talk_step(talk, &datum, &answer);
		g_assert_cmpint(state, ==, SASL_TALK_FAILED);
		check_secret(talk, NULL);
		sasl_talk_destroy(talk);
	}
}

/* ---- the library ---- */

/* What lies beside the two plugins is not in this process. It comes before a client does. */
static void test_plugins(void)
{
	g_autofree char *maps = NULL;
	g_assert_true(g_file_get_contents("/proc/self/maps", &maps, NULL, NULL));
	g_auto(GStrv) lines = g_strsplit(maps, "\n", -1);
	unsigned n_plugins = 0;
	for (unsigned i = 0; lines[i]; i++) {
		if (!strstr(lines[i], "/sasl2/"))
			continue;
		n_plugins++;
		g_assert_true(strstr(lines[i], "/libscram") || strstr(lines[i], "/libplain"));
	}
	g_assert_cmpuint(n_plugins, >, 0);
	struct sasl_talk *talk = create();
	g_assert_cmpstr(sasl_talk_list(talk), ==, ",SCRAM-SHA-256,SCRAM-SHA-1,PLAIN,");
	sasl_talk_destroy(talk);
}

static gint64 thread_us(void)
{
	struct timespec used;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (gint64)used.tv_sec * G_USEC_PER_SEC + used.tv_nsec / 1000;
}

static gint64 time_start(const char *first)
{
	struct spice_sasl_datum answer;
	struct sasl_talk *talk = create();
	struct spice_sasl_start start = make_start("SCRAM-SHA-256", first, strlen(first));
	gint64 began_us = thread_us();
	g_assert_cmpint(sasl_talk_start(talk, &start, &answer), ==, SASL_TALK_GOES_ON);
	gint64 took_us = thread_us() - began_us;
	sasl_talk_destroy(talk);
	return took_us;
}

static bool is_as_long(gint64 a_us, gint64 b_us)
{
	return ABS(a_us - b_us) < MAX(a_us, b_us) / 4;
}

/*
 * Whether there is such a user cannot be seen from the time that it takes, nor from the salt. A
 * machine may be half as fast for a while, so both are asked in turn, the least of each counts, and
 * there are more turns while these differ.
 */
static void test_time(void)
{
	gint64 known_us = G_MAXINT64, unknown_us = G_MAXINT64;
	for (unsigned i = 0; i < 200 && (i < 20 || !is_as_long(known_us, unknown_us)); i++) {
		known_us = MIN(known_us, time_start("n,,n=alice,r=abcdefghijklmnop"));
		unknown_us = MIN(unknown_us, time_start("n,,n=bobby,r=abcdefghijklmnop"));
	}
	g_test_message("a start takes %" G_GINT64_FORMAT " us of CPU, of nobody %" G_GINT64_FORMAT,
		known_us, unknown_us);
	g_assert_true(is_as_long(known_us, unknown_us));
}

static char *take_salt(const char *first)
{
	struct spice_sasl_datum answer;
	struct sasl_talk *talk = create();
	struct spice_sasl_start start = make_start("SCRAM-SHA-1", first, strlen(first));
	g_assert_cmpint(sasl_talk_start(talk, &start, &answer), ==, SASL_TALK_GOES_ON);
	g_autofree char *text = g_strndup((const char *)answer.bytes, answer.size_bytes);
	char *salt = g_strdup(strstr(text, ",s="));
	sasl_talk_destroy(talk);
	return salt;
}

static void test_salts(void)
{
	g_autofree char *alice = take_salt("n,,n=alice,r=abcdefghijklmnop");
	g_autofree char *again = take_salt("n,,n=alice,r=qrstuvwxyzabcdef");
	g_autofree char *bob = take_salt("n,,n=bobby,r=abcdefghijklmnop");
	g_autofree char *bob_again = take_salt("n,,n=bobby,r=qrstuvwxyzabcdef");
	g_assert_cmpstr(alice, ==, again);
	g_assert_cmpstr(bob, ==, bob_again);
	g_assert_cmpstr(alice, !=, bob);
	g_assert_cmpuint(strlen(alice), ==, strlen(bob));
	g_assert_true(g_str_has_suffix(alice, ",i=4096"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_assert_true(sasl_talk_load());
	g_test_add_func("/sasl-talk/plugins", test_plugins);
	for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/sasl-talk/login/", cases[i].path, NULL);
		g_test_add_data_func(path, &cases[i], test_login);
	}
	g_test_add_func("/sasl-talk/long", test_long);
	g_test_add_func("/sasl-talk/longest", test_longest);
	g_test_add_func("/sasl-talk/blank", test_blank);
	g_test_add_func("/sasl-talk/wrong-starts", test_wrong_starts);
	g_test_add_func("/sasl-talk/late-first", test_late_first);
	g_test_add_func("/sasl-talk/wrong-steps", test_wrong_steps);
	g_test_add_func("/sasl-talk/time", test_time);
	g_test_add_func("/sasl-talk/salts", test_salts);
	return g_test_run();
}
