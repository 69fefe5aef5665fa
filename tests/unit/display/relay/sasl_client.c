/* SPDX-License-Identifier: MIT */
#include "tests/unit/display/relay/sasl_client.h"

#include <sasl/sasl.h>
#include <string.h>

struct sasl_client {
	sasl_conn_t *conn;
	sasl_callback_t callbacks[4];
	const char *mechanism, *name, *as;
	sasl_secret_t *secret;
	bool done;
};

#define CALLBACK(id, function, context)                                                            \
	(sasl_callback_t)                                                                          \
	{                                                                                          \
		(id), (int (*)(void))(void (*)(void))(function), (context)                         \
	}

static int on_text(void *context, int id, const char **text, unsigned *length)
{
	struct sasl_client *client = context;
	*text = id == SASL_CB_USER ? client->as : client->name;
	if (length)
		*length = (unsigned)strlen(*text);
	return SASL_OK;
}

static int on_secret(sasl_conn_t *conn, void *context, int id, sasl_secret_t **secret)
{
	struct sasl_client *client = context;
	*secret = client->secret;
	return SASL_OK;
}

struct sasl_client *sasl_client_create(
	const char *mechanism, const char *name, const char *password, const char *as)
{
	const sasl_ssf_t ssf = 256;
	const sasl_security_properties_t properties = { 0 };
	struct sasl_client *client = g_new0(struct sasl_client, 1);
	size_t length = strlen(password);
	client->mechanism = mechanism;
	client->name = name;
	client->as = as ? as : "";
	client->secret = g_malloc0(sizeof(sasl_secret_t) + length);
	client->secret->len = length;
	memcpy(client->secret->data, password, length);
	client->callbacks[0] = CALLBACK(SASL_CB_USER, on_text, client);
	client->callbacks[1] = CALLBACK(SASL_CB_AUTHNAME, on_text, client);
	client->callbacks[2] = CALLBACK(SASL_CB_PASS, on_secret, client);
	g_assert_cmpint(sasl_client_init(NULL), ==, SASL_OK);
	g_assert_cmpint(sasl_client_new("spice", "localhost", NULL, NULL, client->callbacks,
				SASL_SUCCESS_DATA, &client->conn),
		==, SASL_OK);
	g_assert_cmpint(sasl_setprop(client->conn, SASL_SSF_EXTERNAL, &ssf), ==, SASL_OK);
	g_assert_cmpint(sasl_setprop(client->conn, SASL_SEC_PROPS, &properties), ==, SASL_OK);
	return client;
}

void sasl_client_destroy(struct sasl_client *client)
{
	sasl_dispose(&client->conn);
	sasl_client_done();
	g_free(client->secret);
	g_free(client);
}

bool sasl_client_begin(struct sasl_client *client, const char **bytes, unsigned *size_bytes)
{
	const char *mechanism;
	int result = sasl_client_start(
		client->conn, client->mechanism, NULL, bytes, size_bytes, &mechanism);
	client->done = result == SASL_OK;
	return client->done || result == SASL_CONTINUE;
}

bool sasl_client_go_on(struct sasl_client *client, const void *said, size_t said_bytes,
	const char **bytes, unsigned *size_bytes)
{
	int result =
		sasl_client_step(client->conn, said, (unsigned)said_bytes, NULL, bytes, size_bytes);
	client->done = result == SASL_OK;
	return client->done || result == SASL_CONTINUE;
}

bool sasl_client_is_done(const struct sasl_client *client)
{
	return client->done;
}
