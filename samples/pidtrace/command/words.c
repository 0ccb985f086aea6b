// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * words - a command line split into words
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

/*
 * Copies one word from *@text to @to and moves *@text behind it. Returns the
 * quote that was left open, or 0.
 */
static char copy_word(const char **text, char *to)
{
	const char *s = *text;
	char quote = 0;

	for (; *s; s++) {
		bool escapes = *s == '\\' && s[1];

		if (quote == '\'')
			escapes = false;
		else if (quote == '"')
			escapes = escapes && strchr("\"\\", s[1]);
		if (!quote && strchr(" \t\n", *s))
			break;

		if (escapes)
			*to++ = *++s;
		else if (quote && *s == quote)
			quote = 0;
		else if (!quote && strchr("'\"", *s))
			quote = *s;
		else
			*to++ = *s;
	}
	*to = '\0';
	*text = s;
	return quote;
}

char **words_split(const char *text, struct error *err)
{
	const char *s = text + strspn(text, " \t\n");
	char **words = xcalloc(1, sizeof(*words));
	size_t nr = 0, cap = 1;

	while (*s) {
		char *word = xmalloc(strlen(s) + 1);
		char open = copy_word(&s, word);

		words = array_grow(words, nr + 1, &cap, sizeof(*words));
		words[nr++] = word;
		words[nr] = NULL;
		if (open) {
			error_set(err, "the command '%s' has a %c without its partner", text, open);
			words_free(words);
			return NULL;
		}
		s += strspn(s, " \t\n");
	}
	if (!nr) {
		error_set(err, "the command is empty");
		words_free(words);
		return NULL;
	}
	return words;
}

void words_free(char **words)
{
	for (size_t i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}
