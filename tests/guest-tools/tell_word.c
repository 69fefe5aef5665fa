/* SPDX-License-Identifier: MIT */
/* tell_word UID SUMMARY BODY: says it as vitrine-guest-recover does. */
#include <stdlib.h>

#include "guest-tools/common/text.h"
#include "guest-tools/recover/word.h"

int main(int argc, char **argv)
{
	struct word word = { 0 };
	if (argc != 4)
		return 64;
	word_add_user(&word, (uid_t)atoi(argv[1]));
	text_copy(word.summary, sizeof word.summary, argv[2]);
	text_copy(word.body, sizeof word.body, argv[3]);
	word_tell(&word);
	return 0;
}
