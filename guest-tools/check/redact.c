/* SPDX-License-Identifier: MIT */
#include "guest-tools/check/redact.h"

#include <ctype.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "guest-tools/common/array.h"
#include "guest-tools/common/text.h"

struct names {
	char host[256], user[64];
};

static void find_names(struct names *names)
{
	const char *sudo_user = getenv("SUDO_USER");
	const struct passwd *me = getpwuid(getuid());
	gethostname(names->host, sizeof names->host - 1);
	names->host[sizeof names->host - 1] = 0;
	names->host[strcspn(names->host, ".")] = 0;
	text_copy(names->user, sizeof names->user, sudo_user ? sudo_user : me ? me->pw_name : "");
	/* Short or ordinary words would garble the text and hide nothing. */
	if (strlen(names->host) < 3 || strcmp(names->host, "localhost") == 0 ||
		strcmp(names->host, "debian") == 0)
		names->host[0] = 0;
	if (strlen(names->user) < 3 || strcmp(names->user, "root") == 0)
		names->user[0] = 0;
}

static bool at_word(const char *begin, const char *at, const char *word)
{
	size_t length = strlen(word);
	return length > 0 && strncmp(at, word, length) == 0 &&
	       (at == begin || !isalnum((unsigned char)at[-1])) &&
	       !isalnum((unsigned char)at[length]);
}

/* Gives the length of a secret's name with the = or : that follows it, or 0 when there is none. */
static size_t secret_prefix(const char *at)
{
	static const char *const words[] = { "password", "passwd", "passphrase", "pwd", "secret",
		"token", "apikey", "api_key", "auth", "credential", "private_key", "key", "serial",
		"serialnumber", "uuid" };
	for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
		size_t length = strlen(words[i]);
		if (strncasecmp(at, words[i], length) != 0)
			continue;
		const char *end = at + length + strspn(at + length, "\"' \t");
		if (*end == '=' || *end == ':')
			return (size_t)(end - at) + 1;
	}
	return 0;
}

/*
 * Gives the length of an address at `at`, such as 192.0.2.1, 52:54:00:12:34:56 or fe80::1, or 0
 * when there is none.
 */
static size_t address_length(const char *at)
{
	size_t length = strspn(at, "0123456789abcdefABCDEF:.");
	unsigned dots = 0, colons = 0, digits_only = 1, doubles = 0;
	for (size_t i = 0; i < length; i++) {
		dots += at[i] == '.';
		colons += at[i] == ':';
		doubles += i > 0 && at[i] == ':' && at[i - 1] == ':';
		digits_only &= isdigit((unsigned char)at[i]) || at[i] == '.';
	}
	while (length > 0 && (at[length - 1] == '.' || at[length - 1] == ':'))
		length--;
	bool ipv4 = dots == 3 && digits_only && length >= 7;
	bool ethernet_or_ipv6 =
		dots == 0 && (colons >= 5 || (doubles > 0 && colons >= 2 && length > 4));
	return ipv4 || ethernet_or_ipv6 ? length : 0;
}

void redact_write(FILE *file, const char *text)
{
	struct names names;
	find_names(&names);
	for (const char *at = text; *at;) {
		bool starts = at == text || !isalnum((unsigned char)at[-1]);
		size_t length = starts ? address_length(at) : 0;
		size_t prefix = secret_prefix(at);
		if (length > 0) {
			fputs("(address)", file);
			at += length;
		} else if (prefix > 0) {
			fwrite(at, 1, prefix, file);
			at += prefix;
			size_t blank = strspn(at, " \t\"'");
			fwrite(at, 1, blank, file);
			at += blank;
			at += strcspn(at, " \t\n\"',;&");
			fputs("(removed)", file);
		} else if (at_word(text, at, names.host)) {
			fputs("(host)", file);
			at += strlen(names.host);
		} else if (at_word(text, at, names.user)) {
			fputs("(user)", file);
			at += strlen(names.user);
		} else {
			fputc(*at++, file);
		}
	}
}
