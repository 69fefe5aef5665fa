/* SPDX-License-Identifier: MIT */
#include "display/relay/sasl_talk.h"

#include <glib.h>
#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <string.h>

#include "display/relay/limits.h"
#include "display/relay/scram_keys.h"

#define PLUGIN "vitrine"
#define PLAIN "PLAIN"
/* The library prefers its first, and so do clients. */
#define MECHANISMS "SCRAM-SHA-256 SCRAM-SHA-1 " PLAIN
/* Clients are told the same in another form. */
#define LIST ",SCRAM-SHA-256,SCRAM-SHA-1," PLAIN ","
/* The property of a user that has SCRAM's keys; the star says that it is of who logs in. */
#define KEYS_PROPERTY "*authPassword"
/* TLS with less would not be TLS 1.2. The library only asks whether there is any. */
#define TLS_SSF 128
struct sasl_talk {
	sasl_conn_t *conn;
	sasl_callback_t callbacks[2];
	sasl_talk_find find;
	void *user;
	bool scram, done;
	enum scram_keys_hash hash; /* of SCRAM */
	unsigned steps;
	char name[TICKETS_USER_MAX + 2];     /* one that is too long is nobody's when it is cut */
	char secret[TICKETS_SECRET_MAX + 2]; /* found, or said; one that is too long is nobody's */
};

static bool is_loaded;
/* Tickets are shorter, and no text has such bytes. */
static char no_secret[TICKETS_SECRET_MAX + 2];

/* The library's callbacks have the type that each needs, and are kept as this one. */
#define CALLBACK(id, function, context)                                                            \
	{                                                                                          \
		(id), (int (*)(void))(void (*)(void))(function), (context)                         \
	}

/* ---- what the library asks of everybody ---- */

static int on_option(
	void *context, const char *plugin, const char *option, const char **value, unsigned *length)
{
	static const struct {
		const char *option, *value;
	} options[] = {
		{ "auxprop_plugin", PLUGIN },
		{ "mech_list", MECHANISMS },
		/* The callback on passwords answers always. */
		{ "pwcheck_method", "auxprop" },
		{ "log_level", "0" },
	};
	*value = NULL;
	for (unsigned i = 0; i < G_N_ELEMENTS(options) && !*value; i++)
		if (g_str_equal(option, options[i].option))
			*value = options[i].value;
	if (*value && length)
		*length = (unsigned)strlen(*value);
	return *value ? SASL_OK : SASL_FAIL;
}

static int on_path(void *context, const char **path)
{
	*path = SASL_PLUGINS;
	return SASL_OK;
}

/* Other plugins are not loaded, and no configuration is read. */
static int on_verify_file(void *context, const char *file, sasl_verify_type_t type)
{
	g_autofree char *name = g_path_get_basename(file);
	bool good = type == SASL_VRFY_PLUGIN && (g_str_has_prefix(name, "libscram.so") ||
							g_str_has_prefix(name, "libplain.so"));
	return good ? SASL_OK : SASL_CONTINUE;
}

/* It would write to syslog, and what strangers say, too. What came of it the relay logs. */
static int on_log(void *context, int level, const char *message)
{
	return SASL_OK;
}

static const sasl_callback_t callbacks[] = {
	CALLBACK(SASL_CB_GETOPT, on_option, NULL),
	CALLBACK(SASL_CB_GETPATH, on_path, NULL),
	CALLBACK(SASL_CB_VERIFYFILE, on_verify_file, NULL),
	CALLBACK(SASL_CB_LOG, on_log, NULL),
	CALLBACK(SASL_CB_LIST_END, NULL, NULL),
};

/* ---- what it asks about one user ---- */

static void set_name(struct sasl_talk *talk, const char *name, size_t length)
{
	memset(talk->name, 0, sizeof(talk->name));
	memcpy(talk->name, name, MIN(length, sizeof(talk->name) - 1));
}

static void set_secret(struct sasl_talk *talk, const char *secret)
{
	memset(talk->secret, 0, sizeof(talk->secret));
	memcpy(talk->secret, secret, MIN(strlen(secret), sizeof(talk->secret) - 1));
}

/* PLAIN: the password is kept, and judged when the talk is done. */
static int on_password(sasl_conn_t *conn, void *context, const char *name, const char *password,
	unsigned length, struct propctx *properties)
{
	struct sasl_talk *talk = context;
	set_name(talk, name, strlen(name));
	set_secret(talk, password);
	return SASL_OK;
}

/* A talk's context is the one of its callback on passwords. */
static struct sasl_talk *find_talk(const sasl_utils_t *utils)
{
	sasl_callback_ft function;
	void *context = NULL;
	bool found = utils->getcallback(utils->conn, SASL_CB_SERVER_USERDB_CHECKPASS, &function,
			     &context) == SASL_OK;
	return found ? context : NULL;
}

static int give_keys(struct sasl_talk *talk, sasl_server_params_t *params)
{
	char keys[SCRAM_KEYS_TEXT_MAX], secret[TICKETS_SECRET_MAX + 1] = "";
	bool found = talk->find(talk->user, talk->name, secret);
	set_secret(talk, found ? secret : no_secret);
	bool made = scram_keys_make(talk->hash, talk->name, found ? secret : NULL, keys);
	int result = made ? params->utils->prop_set(params->propctx, KEYS_PROPERTY, keys, -1) :
			    SASL_FAIL;
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(keys, sizeof(keys));
	return result;
}

/* SCRAM: the library looks for the keys of who logs in. */
static int on_lookup(void *context, sasl_server_params_t *params, unsigned flags, const char *name,
	unsigned length)
{
	struct sasl_talk *talk = find_talk(params->utils);
	if (!talk || !talk->scram || (flags & SASL_AUXPROP_AUTHZID))
		return SASL_OK;
	set_name(talk, name, length);
	return give_keys(talk, params);
}

static int on_plugin(const sasl_utils_t *utils, int max_version, int *version,
	sasl_auxprop_plug_t **plugin, const char *name)
{
	static char plugin_name[] = PLUGIN;
	static sasl_auxprop_plug_t ours = { .auxprop_lookup = on_lookup, .name = plugin_name };
	if (max_version < SASL_AUXPROP_PLUG_VERSION)
		return SASL_BADVERS;
	*version = SASL_AUXPROP_PLUG_VERSION;
	*plugin = &ours;
	return SASL_OK;
}

/* ---- the library ---- */

static bool has_mechanisms(void)
{
	struct sasl_talk *talk = sasl_talk_create(NULL, NULL);
	bool has = talk && g_str_equal(sasl_talk_list(talk), LIST);
	sasl_talk_destroy(talk);
	return has;
}

/* Without a name for the program it looks for no configuration. */
bool sasl_talk_load(void)
{
	memset(no_secret, '\1', sizeof(no_secret) - 1);
	int result = sasl_server_init(callbacks, NULL);
	if (result == SASL_OK)
		result = sasl_auxprop_add_plugin(PLUGIN, on_plugin);
	is_loaded = result == SASL_OK && scram_keys_init();
	if (is_loaded && !has_mechanisms()) {
		g_info("no SASL: " SASL_PLUGINS " has not all of " MECHANISMS);
		is_loaded = false;
	} else if (!is_loaded) {
		g_info("no SASL: %s", sasl_errstring(result, NULL, NULL));
	}
	return is_loaded;
}

bool sasl_talk_is_loaded(void)
{
	return is_loaded;
}

/* ---- a talk ---- */

/* In TLS no other layer is wanted; that there is TLS lets PLAIN in. */
static bool set_up(sasl_conn_t *conn)
{
	const sasl_ssf_t ssf = TLS_SSF;
	const sasl_security_properties_t properties = {
		.max_ssf = 0, .maxbufsize = 0, .security_flags = SASL_SEC_NOANONYMOUS
	};
	return sasl_setprop(conn, SASL_SSF_EXTERNAL, &ssf) == SASL_OK &&
	       sasl_setprop(conn, SASL_SEC_PROPS, &properties) == SASL_OK;
}

/* With a host's name it does not ask the network for one. */
struct sasl_talk *sasl_talk_create(sasl_talk_find find, void *user)
{
	if (!is_loaded)
		return NULL;
	struct sasl_talk *talk = g_new0(struct sasl_talk, 1);
	talk->find = find;
	talk->user = user;
	talk->callbacks[0] =
		(sasl_callback_t)CALLBACK(SASL_CB_SERVER_USERDB_CHECKPASS, on_password, talk);
	talk->callbacks[1] = (sasl_callback_t)CALLBACK(SASL_CB_LIST_END, NULL, NULL);
	set_secret(talk, no_secret);
	if (sasl_server_new("spice", "localhost", NULL, NULL, NULL, talk->callbacks,
		    SASL_SUCCESS_DATA, &talk->conn) != SASL_OK ||
		!set_up(talk->conn))
		g_clear_pointer(&talk, sasl_talk_destroy);
	return talk;
}

void sasl_talk_destroy(struct sasl_talk *talk)
{
	if (!talk)
		return;
	if (talk->conn)
		sasl_dispose(&talk->conn);
	explicit_bzero(talk, sizeof(*talk));
	g_free(talk);
}

const char *sasl_talk_list(struct sasl_talk *talk)
{
	const char *list = NULL;
	sasl_listmech(talk->conn, NULL, ",", ",", ",", &list, NULL, NULL);
	return list ? list : "";
}

/* The library takes it as its own while this lasts; NULL is not the same as no bytes. */
static const char *text_of(const struct spice_sasl_datum *datum)
{
	return (const char *)datum->bytes;
}

static enum sasl_talk_state settle(struct sasl_talk *talk, int result, const char *out,
	unsigned length, struct spice_sasl_datum *answer)
{
	*answer = (struct spice_sasl_datum){ (const uint8_t *)out, out ? length : 0 };
	talk->done = result == SASL_OK;
	talk->steps++;
	if (talk->done)
		return SASL_TALK_DONE;
	if (result == SASL_CONTINUE && talk->steps < SASL_TALK_STEPS_MAX)
		return SASL_TALK_GOES_ON;
	*answer = (struct spice_sasl_datum){ 0 };
	return SASL_TALK_FAILED;
}

static bool find_hash(const char *mechanism, enum scram_keys_hash *hash)
{
	for (*hash = SCRAM_KEYS_SHA1; *hash <= SCRAM_KEYS_SHA256; (*hash)++)
		if (g_str_equal(mechanism, scram_keys_mechanism(*hash)))
			return true;
	return false;
}

/* Clients say a name as they have read it, so that letters' cases agree. */
bool sasl_talk_knows(const char *mechanism)
{
	enum scram_keys_hash hash;
	return g_str_equal(mechanism, PLAIN) || find_hash(mechanism, &hash);
}

enum sasl_talk_state sasl_talk_start(struct sasl_talk *talk, const struct spice_sasl_start *start,
	struct spice_sasl_datum *answer)
{
	const char *out = NULL;
	unsigned length = 0;
	g_assert(talk->steps == 0);
	if (!sasl_talk_knows(start->mechanism))
		return settle(talk, SASL_NOMECH, NULL, 0, answer);
	talk->scram = find_hash(start->mechanism, &talk->hash);
	int result = sasl_server_start(talk->conn, start->mechanism, text_of(&start->datum),
		(unsigned)start->datum.size_bytes, &out, &length);
	return settle(talk, result, out, length, answer);
}

enum sasl_talk_state sasl_talk_step(struct sasl_talk *talk, const struct spice_sasl_datum *datum,
	struct spice_sasl_datum *answer)
{
	const char *out = NULL;
	unsigned length = 0;
	g_assert(talk->steps > 0 && !talk->done);
	int result = sasl_server_step(
		talk->conn, text_of(datum), (unsigned)datum->size_bytes, &out, &length);
	return settle(talk, result, out, length, answer);
}

const char *sasl_talk_name(const struct sasl_talk *talk)
{
	return talk->name;
}

const char *sasl_talk_secret(const struct sasl_talk *talk)
{
	return talk->done ? talk->secret : no_secret;
}
