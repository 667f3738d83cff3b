/* SPDX-License-Identifier: Apache-2.0
 *
 * Two threads meet at one heap: two_parties SCENARIO CALL. One thread has the heap, really, by
 * locking it, walking it or being inside it; it keeps it, dies or releases it. The main thread
 * makes CALL meanwhile. Exits with 0 when that returned what the contract has for it.
 */
#include "victim.h"

#include <fencepost/extension.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static IHostMemoryManager *manager;
static IHostMalloc *heap;
static IFencepostMalloc *extended;
static void *block;
static atomic_bool is_ready;
static atomic_bool is_over;

static void create(DWORD flags)
{
	void *out;

	manager = victim_manager();
	EXPECT(IHostMemoryManager_CreateMalloc(manager, flags, &heap) == S_OK);
	EXPECT(IHostMalloc_QueryInterface(heap, &IID_IFencepostMalloc, &out) == S_OK);
	extended = out;
	IHostMalloc_Release(heap);
	EXPECT(IHostMalloc_Alloc(heap, 100, eTaskCritical, &block) == S_OK);
}

static void nap(long milliseconds)
{
	const struct timespec time = {.tv_sec = milliseconds / 1000,
	                              .tv_nsec = milliseconds % 1000 * 1000000};

	nanosleep(&time, NULL);
}

static void await(atomic_bool *flag)
{
	while (!atomic_load(flag))
		nap(1);
}

static void stay(void)
{
	atomic_store(&is_ready, true);
	await(&is_over);
}

/* ---- The calls --------------------------------------------------------------------------- */

static HRESULT call_alloc(void)
{
	void *out = heap;
	HRESULT result = IHostMalloc_Alloc(heap, 10, eTaskCritical, &out); /* plant: alloc */

	EXPECT((out == NULL) == (result != S_OK));
	return result;
}

static HRESULT call_debug_alloc(void)
{
	static char file[] = "engine.c";
	void *out = heap;
	HRESULT result;

	result = IHostMalloc_DebugAlloc(heap, 1, 0, file, 7, &out); /* plant: debug */

	EXPECT((out == NULL) == (result != S_OK));
	return result;
}

static HRESULT call_free(void)
{
	return IHostMalloc_Free(heap, block); /* plant: free */
}

static HRESULT call_realloc(void)
{
	void *out = heap;
	HRESULT result;

	result = IFencepostMalloc_Realloc(extended, block, 20, 0, &out); /* plant: realloc */
	EXPECT((out == NULL) == (result != S_OK));
	return result;
}

static HRESULT call_lock(void)
{
	return IFencepostMalloc_Lock(extended); /* plant: lock */
}

static HRESULT call_unlock(void)
{
	return IFencepostMalloc_Unlock(extended); /* plant: unlock */
}

static HRESULT call_create(void)
{
	IHostMalloc *out = NULL;
	HRESULT result = IHostMemoryManager_CreateMalloc(manager, MALLOC_THREADSAFE, &out);

	EXPECT(out != NULL && IHostMalloc_Release(out) == 0);
	return result;
}

typedef HRESULT (*method)(void);

/* What CALL returns where a call on the heap would return REFUSED. */
static HRESULT met(method call, HRESULT refused)
{
	return call == call_create ? S_OK : refused;
}

/* ---- The other party --------------------------------------------------------------------- */

static void *lock_and_stay(void *unused)
{
	EXPECT(IFencepostMalloc_Lock(extended) == S_OK); /* plant: holder */
	stay();
	EXPECT(IFencepostMalloc_Unlock(extended) == S_OK);
	return unused;
}

static bool stay_at(const struct FencepostBlock *shown, void *user)
{
	EXPECT(shown->address == block && shown->size == 100 && user == &heap);
	stay();
	return true;
}

static void *walk_and_stay(void *unused)
{
	EXPECT(IFencepostMalloc_Walk(extended, stay_at, &heap) == S_OK); /* plant: walker */
	return unused;
}

static void *lock_and_die(void *unused)
{
	EXPECT(IFencepostMalloc_Lock(extended) == S_OK); /* plant: dying holder */
	return unused;
}

static void *lock_and_release(void *unused)
{
	EXPECT(IFencepostMalloc_Lock(extended) == S_OK);
	atomic_store(&is_ready, true);
	nap(100);
	EXPECT(IHostMalloc_Release(heap) == 0); /* plant: releaser */
	await(&is_over);
	return unused;
}

static void *make_a_mistake(void *unused)
{
	IHostMalloc_Free(heap, &heap); /* plant: inside */
	return unused;
}

static void stay_inside(const struct fp_finding_event *finding, void *user)
{
	(void)user;
	if (strcmp(finding->kind, "invalid-free") == 0)
		stay();
}

static void die_inside(const struct fp_finding_event *finding, void *user)
{
	(void)user;
	if (strcmp(finding->kind, "invalid-free") == 0)
		pthread_exit(NULL);
}

/* ---- The scenarios ----------------------------------------------------------------------- */

static pthread_t start(void *(*body)(void *))
{
	pthread_t thread;

	EXPECT(pthread_create(&thread, NULL, body, NULL) == 0);
	return thread;
}

/* CALL while another thread stays returns EXPECTED, and is served when that one has gone. */
static void meet(void *(*body)(void *), method call, HRESULT expected)
{
	pthread_t thread = start(body);

	await(&is_ready);
	EXPECT(call() == met(call, expected));
	atomic_store(&is_over, true);
	pthread_join(thread, NULL);
	EXPECT(call == call_unlock || call() == S_OK);
}

static void locked(method call)
{
	create(MALLOC_THREADSAFE);
	meet(lock_and_stay, call, call == call_unlock ? HOST_E_NOT_OWNER : HOST_E_TIMEOUT);
}

static void walked(method call)
{
	create(MALLOC_THREADSAFE);
	meet(walk_and_stay, call, HOST_E_TIMEOUT);
}

static void inside(method call)
{
	create(0);
	fp_set_finding_callback(stay_inside, NULL);
	meet(make_a_mistake, call, HOST_E_NOT_OWNER);
}

static void holder_died(method call)
{
	create(MALLOC_THREADSAFE);
	pthread_join(start(lock_and_die), NULL);
	EXPECT(call() == met(call, HOST_E_ABANDONED));
	EXPECT(call() == S_OK);
}

static void died_inside(method call)
{
	create(0);
	fp_set_finding_callback(die_inside, NULL);
	pthread_join(start(make_a_mistake), NULL);
	EXPECT(call() == met(call, HOST_E_ABANDONED));
	EXPECT(call() == S_OK);
}

static void released(method call)
{
	pthread_t thread;

	create(MALLOC_THREADSAFE);
	thread = start(lock_and_release);
	await(&is_ready);
	EXPECT(call() == met(call, HOST_E_ABANDONED));
	EXPECT(call() == met(call, HOST_E_INVALIDOPERATION));
	atomic_store(&is_over, true);
	pthread_join(thread, NULL);
}

/* A child of fork has none of the parent's other threads: whoever held the lock is not there.
 */
static void forked(method call)
{
	pthread_t thread;
	int status;
	pid_t pid;

	create(MALLOC_THREADSAFE);
	thread = start(lock_and_stay);
	await(&is_ready);
	pid = fork();
	if (pid == 0)
		_exit(call() == HOST_E_ABANDONED && call() == S_OK ? 0 : 1);
	EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
	atomic_store(&is_over, true);
	pthread_join(thread, NULL);
	EXPECT(call() == S_OK);
}

static void *alloc_and_free(void *unused)
{
	const time_t end = time(NULL) + 20;

	while (!atomic_load(&is_over) && time(NULL) < end) {
		void *own = NULL;
		HRESULT result = IHostMalloc_Alloc(heap, 10, eTaskCritical, &own);

		if (result == HOST_E_NOT_OWNER ||
		    IHostMalloc_Free(heap, own) == HOST_E_NOT_OWNER)
			atomic_store(&is_over, true);
	}
	return unused;
}

/* Nothing holds anybody up: they merely take no turns. */
static void overlapping(method call)
{
	pthread_t threads[2];

	(void)call;
	create(0);
	for (int i = 0; i < 2; i++)
		threads[i] = start(alloc_and_free);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	EXPECT(atomic_load(&is_over));
}

static const struct {
	const char *name;
	void (*play)(method call);
} scenarios[] = {
        {"locked", locked},           {"walked", walked},           {"inside", inside},
        {"holder-died", holder_died}, {"died-inside", died_inside}, {"released", released},
        {"forked", forked},           {"overlapping", overlapping},
};

static const struct {
	const char *name;
	method call;
} calls[] = {
        {"alloc", call_alloc},     {"debug", call_debug_alloc}, {"free", call_free},
        {"realloc", call_realloc}, {"lock", call_lock},         {"unlock", call_unlock},
        {"create", call_create},
};

int main(int argc, char **argv)
{
	size_t scenario = 0;
	size_t chosen = 0;

	EXPECT(argc == 3);
	while (strcmp(scenarios[scenario].name, argv[1]) != 0)
		EXPECT(++scenario < sizeof(scenarios) / sizeof(scenarios[0]));
	while (strcmp(calls[chosen].name, argv[2]) != 0)
		EXPECT(++chosen < sizeof(calls) / sizeof(calls[0]));
	scenarios[scenario].play(calls[chosen].call);
	return 0;
}
