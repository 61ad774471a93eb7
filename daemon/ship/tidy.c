/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compressed file is written under another name, synced, renamed, and the
 * directory is synced before the original goes.  Two of one name mean that
 * only the last step is missing.
 */
#include "daemon/ship/tidy.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/ship/rotated.h"
#include "daemon/ship/tail.h"
#include "daemon/util/file.h"
#include "daemon/util/log.h"

enum { lowest_priority = 19 };

struct wish {
	STAILQ_ENTRY(wish) link;
	char file[NAME_MAX + 1];
};

struct tidy {
	const struct settings *settings;	/* borrowed */
	pthread_t thread;
	bool running;			/* the thread was started */
	atomic_bool ending;
	pthread_mutex_t lock;		/* of `wishes` */
	pthread_cond_t changed;
	STAILQ_HEAD(, wish) wishes;
};

/* ---- compressing */

static int failed(struct prodd_error *e, const char *verb, const char *name)
{
	return prodd_error_set(e, PRODD_E_IO, "%s %s: %s", verb, name, strerror(errno));
}

/* What its last line is, for whoever looks for it (last.c). */
static void make_note(const struct settings *settings, int fd, char note[COMPRESSOR_NOTE_MAX])
{
	struct tail_wish wish = { settings->format, UINT64_MAX, UINT64_MAX, false };
	struct prodd_error e;
	struct tail tail;
	struct stat st;

	snprintf(note, COMPRESSOR_NOTE_MAX, "prodd");
	if (fstat(fd, &st) == 0 &&
	    tail_read(fd, (uint64_t)st.st_size, &wish, &tail, &e) == 0 && tail.number > 0)
		snprintf(note, COMPRESSOR_NOTE_MAX, "prodd seq=%llu time=%.*s",
			 (unsigned long long)tail.number, DIGITS_TIME, tail.check_time);
}

static int write_compressed(const struct settings *settings, int directory, const char *name,
			    const char *temporary, const atomic_bool *ending, struct prodd_error *e)
{
	auto_fd from = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	auto_fd to = from < 0 ? -1 : openat(directory, temporary, flags, TIDY_FILE_MODE);
	char note[COMPRESSOR_NOTE_MAX];
	struct stat st;
	int r;

	if (from < 0 || to < 0)
		return failed(e, "compress", name);
	make_note(settings, from, note);
	r = settings->compressor->compress(from, to, note, ending, e);
	if (r < 0)
		return prodd_error_prefix(e, "compress %s", name);
	/* The same owner, who may be given by the directory, and rights. */
	if (fstat(from, &st) == 0 && fchmod(to, st.st_mode & 07777) < 0)
		return failed(e, "compress", name);
	return fsync(to) < 0 ? failed(e, "sync", temporary) : 0;
}

static int compress_one(const struct settings *settings, int directory, const char *name,
			const atomic_bool *ending, struct prodd_error *e)
{
	char final[NAME_MAX + 1], temporary[NAME_MAX + 1];
	int r;

	if (snprintf(final, sizeof final, "%s%s", name, settings->compressor->suffix) >= (int)sizeof final ||
	    snprintf(temporary, sizeof temporary, "%s.tmp", final) >= (int)sizeof temporary)
		return prodd_error_set(e, PRODD_E_IO, "compress %s: its name is too long", name);
	r = write_compressed(settings, directory, name, temporary, ending, e);
	if (r == 0)
		r = rotated_replace(directory, name, temporary, final, e);
	else
		unlinkat(directory, temporary, 0);
	return r;
}

/* ---- a look */

/* Its forms stand behind it in the list. */
static bool has_compressed(const struct rotated *one, const struct rotated *end)
{
	for (const struct rotated *next = one + 1; next < end; next++) {
		if (strcmp(next->stamp, one->stamp) != 0 || next->number != one->number)
			return false;
		if (next->compressor && !next->unfinished)
			return true;
	}
	return false;
}

static bool is_left_over(const struct rotated *one, const struct rotated *end)
{
	return one->unfinished || (!one->compressor && has_compressed(one, end));
}

/* What a crash left behind goes first. Then the newest first: it is what somebody will look into. */
static int compress_all(const struct settings *settings, int directory, const char *file,
			const atomic_bool *ending, struct prodd_error *e)
{
	struct rotated *all = NULL;
	unsigned count = 0;
	int r = rotated_list(directory, file, &all, &count, e);

	for (unsigned i = 0; r == 0 && i < count; i++)
		if (is_left_over(&all[i], all + count) && unlinkat(directory, all[i].name, 0) < 0)
			r = failed(e, "remove", all[i].name);
	for (unsigned i = count; r == 0 && settings->compressor && i-- > 0;)
		if (!all[i].compressor && !has_compressed(&all[i], all + count))
			r = compress_one(settings, directory, all[i].name, ending, e);
	free(all);
	return r;
}

/* The newest one stays: its last line may be the only one that says how far the sink is. */
static int delete_old(const struct settings *settings, int directory, const char *file, struct prodd_error *e)
{
	struct rotated *all = NULL;
	unsigned count = 0, kept = 0;
	uint64_t bytes = 0;
	int r = rotated_list(directory, file, &all, &count, e);

	for (unsigned i = count; r == 0 && i-- > 0;) {
		if (all[i].unfinished)
			continue;
		kept++;
		bytes += all[i].size;
		if (kept == 1 || ((!settings->wire.keep_count || kept <= settings->wire.keep_count) &&
				  (!settings->wire.keep_bytes || bytes <= settings->wire.keep_bytes)))
			continue;
		if (unlinkat(directory, all[i].name, 0) < 0 && errno != ENOENT)
			r = failed(e, "remove", all[i].name);
	}
	free(all);
	return r;
}

int tidy_run(const struct settings *settings, const char *file, const atomic_bool *ending,
	     struct prodd_error *e)
{
	auto_fd directory = open(settings->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct prodd_error other;
	int r, r_delete;

	if (directory < 0)
		return failed(e, "open", settings->directory);
	r = compress_all(settings, directory, file, ending, e);
	/* Also when compressing fails, perhaps for want of room. */
	r_delete = delete_old(settings, directory, file, &other);
	if (r == 0 && r_delete < 0) {
		*e = other;
		return r_delete;
	}
	return r;
}

/* ---- the thread */

static struct wish *next_wish(struct tidy *tidy)
{
	struct wish *wish;

	pthread_mutex_lock(&tidy->lock);
	while (STAILQ_EMPTY(&tidy->wishes) && !atomic_load(&tidy->ending))
		pthread_cond_wait(&tidy->changed, &tidy->lock);
	wish = atomic_load(&tidy->ending) ? NULL : STAILQ_FIRST(&tidy->wishes);
	if (wish)
		STAILQ_REMOVE_HEAD(&tidy->wishes, link);
	pthread_mutex_unlock(&tidy->lock);
	return wish;
}

static void *tidy_main(void *arg)
{
	struct tidy *tidy = arg;
	struct prodd_error e;
	struct wish *wish;

	/* Of this thread alone: on Linux it is the thread that has a priority. */
	setpriority(PRIO_PROCESS, (id_t)gettid(), lowest_priority);
	while ((wish = next_wish(tidy))) {
		if (tidy_run(tidy->settings, wish->file, &tidy->ending, &e) < 0 &&
		    !atomic_load(&tidy->ending))
			log_warn("sink %.*s: rotated files: %s", PRODD_SLICE(tidy->settings->wire.sink),
				 e.text);
		free(wish);
	}
	return NULL;
}

int tidy_new(struct tidy **ret, const struct settings *settings, struct prodd_error *e)
{
	struct tidy *tidy = calloc(1, sizeof *tidy);
	sigset_t all, old;
	int r;

	if (!tidy)
		return prodd_error_set(e, PRODD_E_NO_MEMORY, "rotated files");
	tidy->settings = settings;
	STAILQ_INIT(&tidy->wishes);
	pthread_mutex_init(&tidy->lock, NULL);
	pthread_cond_init(&tidy->changed, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	r = pthread_create(&tidy->thread, NULL, tidy_main, tidy);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r != 0) {
		tidy_free(tidy);
		return prodd_error_set(e, PRODD_E_FAILED, "rotated files: thread: %s", strerror(r));
	}
	tidy->running = true;
	*ret = tidy;
	return 0;
}

struct tidy *tidy_free(struct tidy *tidy)
{
	struct wish *wish;

	if (!tidy)
		return NULL;
	if (tidy->running) {
		pthread_mutex_lock(&tidy->lock);
		atomic_store(&tidy->ending, true);
		pthread_cond_signal(&tidy->changed);
		pthread_mutex_unlock(&tidy->lock);
		pthread_join(tidy->thread, NULL);
	}
	while ((wish = STAILQ_FIRST(&tidy->wishes))) {
		STAILQ_REMOVE_HEAD(&tidy->wishes, link);
		free(wish);
	}
	pthread_cond_destroy(&tidy->changed);
	pthread_mutex_destroy(&tidy->lock);
	free(tidy);
	return NULL;
}

static bool is_wished(const struct tidy *tidy, const char *file)
{
	const struct wish *wish;

	STAILQ_FOREACH(wish, &tidy->wishes, link)
		if (strcmp(wish->file, file) == 0)
			return true;
	return false;
}

void tidy_look(struct tidy *tidy, const char *file)
{
	struct wish *wish = malloc(sizeof *wish);

	if (!wish)
		return;
	snprintf(wish->file, sizeof wish->file, "%s", file);
	pthread_mutex_lock(&tidy->lock);
	if (is_wished(tidy, file)) {
		free(wish);
	} else {
		STAILQ_INSERT_TAIL(&tidy->wishes, wish, link);
		pthread_cond_signal(&tidy->changed);
	}
	pthread_mutex_unlock(&tidy->lock);
}
