/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is renamed while it is written keeps its writer: the cookie of the two events says which. */
#include "daemon/config/writers.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/util/clock.h"

static void forget(struct writers *w, struct writer *writer)
{
	free(writer->name);
	*writer = w->list[--w->count];
}

static struct writer *find(struct writers *w, int wd, const char *name)
{
	for (unsigned i = 0; i < w->count; i++)
		if (w->list[i].wd == wd && !w->list[i].cookie && strcmp(w->list[i].name, name) == 0)
			return &w->list[i];
	return NULL;
}

static struct writer *find_renamed(struct writers *w, uint32_t cookie)
{
	for (unsigned i = 0; cookie && i < w->count; i++)
		if (w->list[i].cookie == cookie)
			return &w->list[i];
	return NULL;
}

/* The oldest that does not matter makes room for one that does. */
static bool make_room(struct writers *w, bool matters)
{
	struct writer *oldest = NULL;

	if (w->count < WRITERS_MAX)
		return true;
	for (unsigned i = 0; i < w->count; i++)
		if (!w->list[i].matters && (!oldest || w->list[i].since_ms < oldest->since_ms))
			oldest = &w->list[i];
	if (!oldest || !matters)
		return false;
	forget(w, oldest);
	return true;
}

static void add(struct writers *w, int wd, const char *name, bool matters)
{
	struct writer *list;

	if (find(w, wd, name) || !make_room(w, matters))
		return;
	list = reallocarray(w->list, w->count + 1, sizeof *list);
	if (!list)
		return;		/* quiet alone tells, then */
	w->list = list;
	list[w->count] = (struct writer){
		.wd = wd, .name = strdup(name), .since_ms = clock_monotonic_ms(), .matters = matters,
	};
	w->count += list[w->count].name != NULL;
}

static void rename_away(struct writers *w, struct writer *writer, uint32_t cookie)
{
	if (!cookie) {
		forget(w, writer);
		return;
	}
	writer->cookie = cookie;
	writer->matters = false;
}

static void rename_here(struct writers *w, struct writer *writer, int wd, const char *name, bool matters)
{
	char *copy = strdup(name);

	if (!copy) {
		forget(w, writer);
		return;
	}
	free(writer->name);
	writer->name = copy;
	writer->wd = wd;
	writer->cookie = 0;
	writer->matters = matters;
}

void writers_event(struct writers *w, const struct inotify_event *event, const char *name, bool matters)
{
	struct writer *writer = find(w, event->wd, name);

	if (writer && event->mask & IN_MOVED_FROM)
		rename_away(w, writer, event->cookie);
	else if (writer && event->mask & (IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_TO | IN_CREATE))
		forget(w, writer);
	if (event->mask & IN_MODIFY && !(event->mask & IN_ISDIR))
		add(w, event->wd, name, matters);
	writer = event->mask & IN_MOVED_TO ? find_renamed(w, event->cookie) : NULL;
	if (writer)
		rename_here(w, writer, event->wd, name, matters);
}

void writers_resurvey(struct writers *w, const struct survey *survey)
{
	for (unsigned i = w->count; i-- > 0;)
		if (survey_has(survey, w->list[i].wd, ""))
			w->list[i].matters = !w->list[i].cookie &&
					     survey_has(survey, w->list[i].wd, w->list[i].name);
		else
			forget(w, &w->list[i]);
}

const struct writer *writers_eldest(const struct writers *w)
{
	const struct writer *eldest = NULL;

	for (unsigned i = 0; i < w->count; i++)
		if (w->list[i].matters && (!eldest || w->list[i].since_ms < eldest->since_ms))
			eldest = &w->list[i];
	return eldest;
}

void writers_clear(struct writers *w)
{
	while (w->count > 0)
		forget(w, &w->list[0]);
	free(w->list);
	*w = (struct writers){ 0 };
}
