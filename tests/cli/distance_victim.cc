/* SPDX-License-Identifier: Apache-2.0
 *
 * Mistakes in the shapes of CWE-121 to CWE-127: loops, calls and single accesses that leave a
 * block, of elements of all kinds, with where the first bad byte is. What a person reads as one
 * copy may be vectors, "rep movs" or a call of the C library's; distance.sh compiles this in
 * several ways.
 *
 *   distance_victim list     number, name, where, and what sees it: "all", or "sweep" alone,
 *                            reads of padding that no guard is in the way of by default
 *   distance_victim NUMBER   makes the mistake
 *   distance_victim freed FUNCTION SIZE OFFSET
 *                            has the C library's function look at a text in a block that was
 * freed
 */
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>

struct pair {
	int first, second;
};
struct triple {
	int first, second, third;
};

static void use(const void *memory)
{
	__asm__ volatile("" : : "r"(memory) : "memory");
}

template <class T> static T element(int number)
{
	T value;

	memset(&value, 'A' + number % 26, sizeof(value));
	return value;
}

enum allocator { MALLOC, CALLOC, NEW };

template <class T, size_t N, allocator A> static T *make()
{
	T *data = static_cast<T *>(A == MALLOC   ? malloc(N * sizeof(T))
	                           : A == CALLOC ? calloc(N, sizeof(T))
	                                         :
	                                         operator new[](N * sizeof(T)));

	for (size_t i = 0; i < N; i++)
		data[i] = element<T>((int)i);
	use(data);
	return data;
}

template <allocator A> static void give_back(void *data)
{
	if (A == NEW)
		operator delete[](data);
	else
		free(data);
}

template <class T, size_t M> struct source {
	T data[M];

	source()
	{
		for (size_t i = 0; i < M; i++)
			data[i] = element<T>((int)i);
		use(data);
	}
};

/* ---- Writes and reads of M elements from OFF on, of a block of N ------------------------- */

enum way { LOOP, DOWN, MEMCPY, MEMMOVE, MEMSET, POINTER, FIELD, INDEX };

/* What is called through it nobody can tell from the call. */
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;

template <class T> static long long first_of(const T &value)
{
	long long word = 0;

	memcpy(&word, &value, sizeof(value) < sizeof(word) ? sizeof(value) : sizeof(word));
	return word;
}

template <class T, size_t N, allocator A, way W, int OFF, size_t M>
__attribute__((noinline)) static void do_write()
{
	T *block = make<T, N, A>();
	T *data = block + OFF;
	static source<T, M> from;

	if (W == LOOP)
		for (size_t i = 0; i < M; i++)
			data[i] = from.data[i];
	if (W == DOWN)
		for (size_t i = M; i-- > 0; use(data)) /* or it becomes a copy upwards */
			data[(long)i - (long)M + 1] = from.data[i];
	if (W == MEMCPY)
		memcpy(data, from.data, M * sizeof(T));
	if (W == MEMMOVE)
		memmove(data, from.data, M * sizeof(T));
	if (W == MEMSET)
		memset(static_cast<void *>(data), 'x', M * sizeof(T));
	if (W == POINTER)
		copy(data, from.data, M * sizeof(T));
	if (W == INDEX)
		data[M] = from.data[0];
	use(data);
	give_back<A>(block);
}

template <class T, size_t N, allocator A, way W, int OFF, size_t M>
__attribute__((noinline)) static void do_read()
{
	T *block = make<T, N, A>();
	T *data = block + OFF;
	static source<T, M> to;
	long long sum = 0;

	if (W == LOOP)
		for (size_t i = 0; i < M; i++)
			to.data[i] = data[i];
	if (W == FIELD)
		for (size_t i = 0; i < M; i++)
			sum += reinterpret_cast<char *>(&data[i])[sizeof(T) - 1];
	if (W == MEMCPY)
		memcpy(to.data, data, M * sizeof(T));
	if (W == MEMMOVE)
		memmove(to.data, data, M * sizeof(T));
	if (W == POINTER)
		copy(to.data, data, M * sizeof(T));
	if (W == INDEX)
		sum = first_of(data[M]);
	use(to.data);
	printf("%d%d\n", sum == 1, to.data == nullptr);
	give_back<A>(block);
}

/* ---- Texts ------------------------------------------------------------------------------- */

template <size_t M> struct text {
	char data[M + 1];
	wchar_t wide[M + 1];

	text()
	{
		memset(data, 'A', M);
		wmemset(wide, L'A', M);
		use(this);
	}
};

/* clang-format off */
enum text_way {
	STRCPY, STRNCPY, STRCAT, STRNCAT, SNPRINTF, SPRINTF,
	WCSCPY, WCSNCPY, WCSCAT, WCSNCAT, SWPRINTF, WMEMSET
};
/* clang-format on */

/* A text of M characters into a block of N. */
template <size_t N, allocator A, text_way W, size_t M>
__attribute__((noinline)) static void write_text()
{
	static text<M> from;
	char *data = make<char, N, A>();
	wchar_t *wide = make<wchar_t, N, A>();

	data[0] = '\0';
	wide[0] = L'\0';
	use(data), use(wide);
	/* clang-format off */
	switch (W) {
	case STRCPY: strcpy(data, from.data); break;
	case STRNCPY: strncpy(data, from.data, M); break;
	case STRCAT: strcat(data, from.data); break;
	case STRNCAT: strncat(data, from.data, M); break;
	case SNPRINTF: snprintf(data, M + 1, "%s", from.data); break;
	case SPRINTF: sprintf(data, "%s", from.data); break;
	case WCSCPY: wcscpy(wide, from.wide); break;
	case WCSNCPY: wcsncpy(wide, from.wide, M); break;
	case WCSCAT: wcscat(wide, from.wide); break;
	case WCSNCAT: wcsncat(wide, from.wide, M); break;
	case SWPRINTF: swprintf(wide, M + 1, L"%ls", from.wide); break;
	case WMEMSET: wmemset(wide, L'x', M); break;
	}
	/* clang-format on */
	use(data), use(wide);
	give_back<A>(data), give_back<A>(wide);
}

enum scan_way { STRLEN, STRCHR, STRDUP, PRINT, COPY, WCSLEN };

/* A text that does not end, in a block of N. */
template <size_t N, allocator A, scan_way W> __attribute__((noinline)) static void read_text()
{
	static char to[70000];
	char *data = make<char, N, A>();
	wchar_t *wide = make<wchar_t, N, A>();
	size_t length = 0;

	/* clang-format off */
	switch (W) {
	case STRLEN: length = strlen(data); break;
	case STRCHR: length = strchr(data, '!') != nullptr; break;
	case STRDUP: length = strdup(data) != nullptr; break;
	case PRINT: printf("%s\n", data); break;
	case COPY: strcpy(to, data); break;
	case WCSLEN: length = wcslen(wide); break;
	}
	/* clang-format on */
	printf("%zu\n", length);
	use(to);
	give_back<A>(data), give_back<A>(wide);
}

/* ---- The table --------------------------------------------------------------------------- */

struct shape {
	const char *name;
	void (*run)();
	const char *where; /* "after 0", "before 8" */
	const char *seen;  /* "all" or "sweep" */
};

/* clang-format off */
#define W(type, n, allocator, way, off, m, where) \
	{"write " #type " " #n " " #allocator " " #way " " #off " " #m, \
	 do_write<type, n, allocator, way, off, m>, where, "all"},
#define R(type, n, allocator, way, off, m, where) \
	{"read " #type " " #n " " #allocator " " #way " " #off " " #m, \
	 do_read<type, n, allocator, way, off, m>, where, "all"},
/* As R, where only another layout has a guard in the way. */
#define S(type, n, allocator, way, off, m, where) \
	{"read " #type " " #n " " #allocator " " #way " " #off " " #m, \
	 do_read<type, n, allocator, way, off, m>, where, "sweep"},
#define T(n, allocator, way, m) \
	{"text " #n " " #allocator " " #way " " #m, write_text<n, allocator, way, m>, "after 0", "all"},
#define U(n, allocator, way) \
	{"text " #n " " #allocator " " #way, read_text<n, allocator, way>, "after 0", "all"},

static const shape shapes[] = {
        /* CWE-122: into 50 elements, 100; into odd sizes; off by one. */
        W(char, 50, MALLOC, LOOP, 0, 100, "after 0")
        W(char, 50, NEW, MEMCPY, 0, 100, "after 0")
        W(char, 50, MALLOC, MEMMOVE, 0, 100, "after 0")
        W(char, 50, CALLOC, MEMSET, 0, 100, "after 0")
        W(char, 37, MALLOC, MEMCPY, 0, 200, "after 0")
        W(char, 37, NEW, LOOP, 0, 3000, "after 0")
        W(char, 5001, MALLOC, MEMCPY, 0, 9000, "after 0")
        W(char, 5001, MALLOC, MEMSET, 0, 9000, "after 0")
        W(char, 601, MALLOC, MEMMOVE, 0, 1201, "after 0")
        W(char, 601, MALLOC, POINTER, 0, 1201, "after 0")
        W(char, 5001, NEW, POINTER, 0, 70000, "after 0")
        W(char, 10, MALLOC, LOOP, 0, 11, "after 0")
        W(char, 10, MALLOC, MEMCPY, 0, 11, "after 0")
        W(wchar_t, 50, MALLOC, LOOP, 0, 100, "after 0")
        W(wchar_t, 13, NEW, MEMCPY, 0, 50, "after 0")
        W(wchar_t, 13, CALLOC, MEMMOVE, 0, 100, "after 0")
        W(int, 50, MALLOC, LOOP, 0, 100, "after 0")
        W(int, 50, MALLOC, MEMCPY, 0, 100, "after 0")
        W(int, 7, NEW, MEMMOVE, 0, 100, "after 0")
        W(int, 10, MALLOC, INDEX, 0, 10, "after 0")
        W(int, 10, MALLOC, INDEX, 0, 40, "after 120")
        W(int64_t, 7, MALLOC, LOOP, 0, 100, "after 0")
        W(int64_t, 50, CALLOC, MEMCPY, 0, 100, "after 0")
        W(int64_t, 1, NEW, MEMMOVE, 0, 100, "after 0")
        W(pair, 7, MALLOC, LOOP, 0, 100, "after 0")
        W(pair, 50, NEW, MEMCPY, 0, 100, "after 0")
        W(triple, 7, MALLOC, LOOP, 0, 100, "after 0")
        W(triple, 7, MALLOC, MEMMOVE, 0, 100, "after 0")
        W(char, 50, MALLOC, LOOP, 60, 100, "after 10")
        W(char, 50, MALLOC, MEMCPY, 53, 100, "after 3")
        /* CWE-124: from 8 elements before the block on. */
        W(char, 100, MALLOC, LOOP, -8, 100, "before 8")
        W(char, 100, NEW, MEMCPY, -8, 100, "before 8")
        W(char, 100, MALLOC, MEMMOVE, -8, 100, "before 8")
        W(wchar_t, 100, MALLOC, LOOP, -8, 100, "before 32")
        W(wchar_t, 25, CALLOC, MEMCPY, -8, 25, "before 32")
        W(char, 1000, MALLOC, MEMSET, -8, 1000, "before 8")
        W(int, 25, NEW, LOOP, -2, 25, "before 8")
        W(int, 25, MALLOC, DOWN, 24, 3000, "before 4")
        W(char, 37, MALLOC, DOWN, 36, 9000, "before 1")
        /* CWE-126. */
        R(char, 50, MALLOC, LOOP, 0, 100, "after 0")
        R(char, 50, MALLOC, MEMCPY, 0, 99, "after 0")
        R(char, 50, NEW, MEMMOVE, 0, 100, "after 0")
        R(char, 37, CALLOC, MEMCPY, 0, 200, "after 0")
        R(char, 5001, MALLOC, MEMCPY, 0, 9000, "after 0")
        R(char, 5001, MALLOC, MEMMOVE, 0, 70000, "after 0")
        R(char, 601, NEW, MEMCPY, 0, 1201, "after 0")
        R(char, 601, MALLOC, POINTER, 0, 1201, "after 0")
        R(char, 5001, NEW, POINTER, 0, 70000, "after 0")
        R(wchar_t, 50, MALLOC, LOOP, 0, 100, "after 0")
        R(wchar_t, 50, MALLOC, MEMCPY, 0, 99, "after 0")
        R(wchar_t, 13, NEW, MEMMOVE, 0, 100, "after 0")
        R(int, 50, MALLOC, LOOP, 0, 100, "after 0")
        R(int, 7, CALLOC, LOOP, 0, 100, "after 0")
        R(int, 7, MALLOC, MEMCPY, 0, 50, "after 0")
        R(int, 10, MALLOC, INDEX, 0, 40, "after 120")
        R(int64_t, 7, MALLOC, LOOP, 0, 100, "after 0")
        R(int64_t, 7, NEW, MEMCPY, 0, 100, "after 0")
        R(pair, 7, MALLOC, LOOP, 0, 100, "after 0")
        R(pair, 7, CALLOC, MEMMOVE, 0, 100, "after 0")
        R(triple, 7, MALLOC, LOOP, 0, 100, "after 0")
        R(triple, 7, MALLOC, FIELD, 0, 100, "after 11")
        R(triple, 50, NEW, MEMCPY, 0, 100, "after 0")
        /* (A loop that begins in the padding is seen at the guard.) */
        S(char, 50, MALLOC, LOOP, 53, 100, "after 3")
        R(char, 50, MALLOC, MEMCPY, 53, 100, "after 3")
        R(char, 50, MALLOC, INDEX, 0, 64, "after 14")
        R(char, 50, MALLOC, INDEX, 0, 90, "after 40")
        S(int, 10, MALLOC, INDEX, 0, 10, "after 0")
        /* CWE-127. */
        S(char, 100, MALLOC, LOOP, -8, 100, "before 8")
        S(char, 100, NEW, MEMCPY, -8, 100, "before 8")
        S(wchar_t, 100, MALLOC, MEMMOVE, -8, 100, "before 32")
        S(int, 25, MALLOC, LOOP, -1, 25, "before 4")
        /* Texts into 50 characters; off by one; what vectors and long copies do. */
        T(50, MALLOC, STRCPY, 99) T(10, NEW, STRCPY, 10) T(37, MALLOC, STRCPY, 3000)
        T(50, MALLOC, STRNCPY, 99) T(50, CALLOC, STRCAT, 99) T(50, NEW, STRNCAT, 99)
        T(50, MALLOC, SNPRINTF, 99) T(50, MALLOC, SPRINTF, 99)
        T(50, MALLOC, WCSCPY, 99) T(10, NEW, WCSCPY, 10) T(50, MALLOC, WCSNCPY, 99)
        T(50, CALLOC, WCSCAT, 99) T(50, MALLOC, WCSNCAT, 99) T(50, MALLOC, SWPRINTF, 99)
        T(13, NEW, WMEMSET, 99)
        U(50, MALLOC, STRLEN) U(37, NEW, STRLEN) U(50, MALLOC, STRCHR)
        U(50, MALLOC, STRDUP) U(50, CALLOC, PRINT) U(50, MALLOC, COPY) U(50, MALLOC, WCSLEN)
};

/* clang-format on */

enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

/* What these do with their vectors begins in front of the text. */
static int freed(const char *name, size_t size, size_t offset)
{
	char *block = make<char, 1, MALLOC>();
	char *volatile text = static_cast<char *>(realloc(block, size)) + offset;
	char other[4096] = "zz";
	size_t left = size - offset;

	memset(text, 'a', left - 1);
	text[left - 1] = 0;
	use(text);
	free(text - offset);
	const struct {
		const char *name;
		size_t (*call)(char *, char *, size_t);
	} calls[] = {
#define CALL(name, ...)                                                                        \
	{                                                                                      \
#name, [](char *p, char *o, size_t n) { (void)o, (void)n; return (size_t)(__VA_ARGS__); }      \
	}
	        CALL(strlen, strlen(p)),
	        CALL(strnlen, strnlen(p, n)),
	        CALL(strchr, strchr(p, 'x')),
	        CALL(strrchr, strrchr(p, 'x')),
	        CALL(memchr, memchr(p, 'x', n)),
	        CALL(rawmemchr, rawmemchr(p, 'x')),
	        CALL(strcmp, strcmp(p, o)),
	        CALL(strcmp2, strcmp(o, p)),
	        CALL(memcmp, memcmp(p, o, n)),
	        CALL(strstr, strstr(p, o)),
	        CALL(strspn, strspn(p, o)),
	        CALL(strtol, strtol(p, nullptr, 10)),
	        CALL(puts, puts(p)),
	        CALL(strdup, strdup(p)),
	        CALL(memcpy, memcpy(o, p, n)),
	        CALL(strcpy, strcpy(o, p)),
	        CALL(stpcpy, stpcpy(o, p)),
	        CALL(strncpy, strncpy(o, p, n)),
	        CALL(strcat, strcat(o, p)),
	};
	for (const auto &call : calls)
		if (strcmp(call.name, name) == 0) {
			volatile size_t result = call.call(text, other, left);

			return (int)result;
		} else if (strcmp(name, "list") == 0) {
			printf("%s\n", call.name);
		}
	return 0;
}

int main(int argc, char **argv)
{
	int number = argc > 1 ? atoi(argv[1]) : 0;

	if (argc == 5 && strcmp(argv[1], "freed") == 0)
		return freed(argv[2], (size_t)atoi(argv[3]), (size_t)atoi(argv[4]));

	if (argc < 2)
		return 99;
	if (strcmp(argv[1], "list") == 0)
		for (int i = 0; i < SHAPES; i++)
			printf("%d\t%s\t%s\t%s\n", i, shapes[i].name, shapes[i].where,
			       shapes[i].seen);
	else if (number >= 0 && number < SHAPES)
		shapes[number].run();
	return 0;
}
