/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A main for fuzz targets without a fuzzer: feeds the corpus, and mutations of
 * it from a fixed seed, so that a run says the same everywhere.
 *
 *   TARGET [FILE.hex | FILE]...     without arguments: $srcdir/tests/fuzz/corpus/TARGET/ *.hex
 *
 * What is tried is printed before, and an input that ends the program is
 * printed as hex text, ready to become a file of the corpus.
 */
#include <glob.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tests/dice.h"
#include "tests/fuzz/fuzz.h"
#include "tests/hex.h"

__attribute__((weak)) unsigned fuzz_mutations = 200;

/* The input at work, for the handler below. */
static const char *input_at;
static size_t input_size;

static void say(const char *text, size_t size)
{
	if (write(STDERR_FILENO, text, size) < 0)
		_exit(99);
}

static void print_input(void)
{
	static const char digits[] = "0123456789abcdef";

	say("# the input that ended it\n", 26);
	for (size_t i = 0; i < input_size; i++) {
		unsigned char byte = (unsigned char)input_at[i];
		char text[3] = { digits[byte >> 4], digits[byte & 15], i % 32 == 31 ? '\n' : ' ' };

		say(text, sizeof text);
	}
	say("\n", 1);
}

static void on_fatal(int number)
{
	print_input();
	signal(number, SIG_DFL);
	raise(number);
}

/* Sanitizers end the program without a signal; this is theirs, when they are linked. */
__attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)(void));

/* Memory of exactly the input's size, so that a sanitizer or valgrind sees a byte too many. */
static void try_input(const char *bytes, size_t size)
{
	char *exact = malloc(size ? size : 1);

	if (!exact)
		exit(99);
	if (size > 0)
		memcpy(exact, bytes, size);
	input_at = exact;
	input_size = size;
	if (LLVMFuzzerTestOneInput((const uint8_t *)exact, size) != 0)
		exit(1);
	input_size = 0;
	free(exact);
}

static void mutate(struct dice *d, struct prodd_buffer *b)
{
	static const unsigned char telling[] = {
		0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xc0, 0xc1, 0xc4, 0xc6, 0xc7, 0xd9, 0xdb, 0xdc,
		0xdd, 0xde, 0xdf, 0xff, '"',  '\\', '{',  '}',	'(',  ')',  ';',  '\n', '#',  '@',
	};
	size_t at = b->size ? dice_below(d, (uint32_t)b->size) : 0;
	size_t length = b->size ? 1 + dice_below(d, b->size - at < 16 ? (uint32_t)(b->size - at) : 16) : 0;

	switch (b->size ? dice_below(d, 6) : 5) {
	case 0:
		b->at[at] ^= (char)(1 << dice_below(d, 8));
		break;
	case 1:
		b->at[at] = (char)telling[dice_below(d, sizeof telling)];
		break;
	case 2:
		b->size = at;
		break;
	case 3:
		memmove(b->at + at, b->at + at + length, b->size - at - length);
		b->size -= length;
		break;
	case 4:		/* a piece twice */
		if (!prodd_buffer_extend(b, length))
			exit(99);
		memmove(b->at + at + length, b->at + at, b->size - at - length);
		break;
	default:
		prodd_buffer_append(b, &telling[dice_below(d, sizeof telling)], 1);
	}
}

static void read_raw(struct prodd_buffer *b, const char *path)
{
	FILE *file = fopen(path, "rb");
	char piece[4096];
	size_t size;

	if (!file) {
		perror(path);
		exit(99);
	}
	while ((size = fread(piece, 1, sizeof piece, file)) > 0)
		prodd_buffer_append(b, piece, size);
	fclose(file);
}

static void replay(const char *path)
{
	prodd_auto_buffer entry = { 0 };
	const char *dot = strrchr(path, '.');
	struct dice d = { 4711 };

	printf("%s\n", path);
	fflush(stdout);
	if (dot && strcmp(dot, ".hex") == 0)
		hex_read(&entry, path);
	else
		read_raw(&entry, path);
	try_input(entry.at, entry.size);
	for (unsigned i = 0; i < fuzz_mutations; i++) {
		prodd_auto_buffer mutant = { 0 };

		prodd_buffer_append(&mutant, entry.at, entry.size);
		for (uint32_t n = 1 + dice_below(&d, 4); n > 0; n--)
			mutate(&d, &mutant);
		try_input(mutant.at, mutant.size);
	}
}

static int replay_corpus(const char *program)
{
	const char *srcdir = getenv("srcdir");
	const char *slash = strrchr(program, '/');
	char pattern[4096];
	size_t count;
	glob_t found;

	snprintf(pattern, sizeof pattern, "%s/tests/fuzz/corpus/%s/*.hex", srcdir ? srcdir : ".",
		 slash ? slash + 1 : program);
	if (glob(pattern, 0, NULL, &found) != 0) {
		fprintf(stderr, "%s: no such files\n", pattern);
		return 99;
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		replay(found.gl_pathv[i]);
	count = found.gl_pathc;
	globfree(&found);
	printf("%zu entries, %u mutations each\n", count, fuzz_mutations);
	return 0;
}

int main(int argc, char **argv)
{
	static const int fatal[] = { SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };

	for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
		signal(fatal[i], on_fatal);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(print_input);
	if (argc < 2)
		return replay_corpus(argv[0]);
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	return 0;
}
