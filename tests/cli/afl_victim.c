/* SPDX-License-Identifier: Apache-2.0
 *
 * A toy parser for a fuzzer. Its input is a row of commands for one string: s and a digit make
 * a new one of that many bytes, every other letter does something with it. Each but s makes a
 * mistake in the heap when the string is not as it expects.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned char *text;
static size_t length;
static bool is_dropped;
static volatile unsigned sum;

static void forget(void)
{
	if (!is_dropped)
		free(text);
	text = NULL;
	is_dropped = false;
}

/* A new string from the SIZE bytes at INPUT; how many of them it took. */
static size_t store(const unsigned char *input, size_t size)
{
	size_t wanted = size > 0 && input[0] >= '1' && input[0] <= '9' ? input[0] - '0' : 0;

	if (wanted == 0 || wanted + 1 > size)
		return 0;
	forget();
	text = malloc(wanted);
	if (text == NULL)
		exit(1);
	memcpy(text, input + 1, wanted);
	length = wanted;
	return wanted + 1;
}

__attribute__((noinline)) static void drop(void)
{
	is_dropped = true;
	free(text); /* plant: second free */
	/* No jump instead of the call. */
	__asm__ volatile("");
}

__attribute__((noinline)) static void look(void)
{
	sum += text[0]; /* plant: read after free */
}

__attribute__((noinline)) static void unescape(void)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] == '\\')
			sum += text[++i]; /* plant: read past the end */
}

__attribute__((noinline)) static void terminate(void)
{
	if (length == 4)
		text[length] = 0; /* plant: write past the end */
}

__attribute__((noinline)) static void mark(void)
{
	if (text[0] == '#')
		text[-20] = 0; /* plant: write before the start */
}

__attribute__((noinline)) static void print(void)
{
	size_t size = text[0] == '%' ? length + 1 : length;

	sum += write(STDOUT_FILENO, text, size) > 0; /* plant: too short for a call */
}

static void obey(unsigned char command)
{
	switch (command) {
	case 'd':
		drop();
		break;
	case 'l':
		look();
		break;
	case 'e':
		unescape();
		break;
	case 't':
		terminate();
		break;
	case 'm':
		mark();
		break;
	case 'p':
		print();
		break;
	}
}

static void parse(const unsigned char *input, size_t size)
{
	for (size_t at = 0; at < size;) {
		unsigned char command = input[at++];

		if (command == 's')
			at += store(input + at, size - at);
		else if (text != NULL)
			obey(command);
	}
	forget();
}

#ifdef IS_PERSISTENT
static bool has_input(void)
{
	return __AFL_LOOP(1000);
}
#else
static bool has_input(void)
{
	static bool had;
	bool has = !had;

	had = true;
	return has;
}
#endif

int main(void)
{
	static unsigned char input[256];

	while (has_input()) {
		ssize_t got = read(STDIN_FILENO, input, sizeof(input));

		if (got > 0)
			parse(input, (size_t)got);
	}
	return 0;
}
