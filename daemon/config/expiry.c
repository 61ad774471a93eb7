/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overrides end by the wall clock, as their users think of them; unconfirmed
 * changes by the boot clock, which no step of the wall clock can move, and
 * which a reboot ends at once.
 */
#include "daemon/config/expiry.h"

#include "daemon/config/request.h"
#include "daemon/core/counters.h"
#include "daemon/util/clock.h"
#include "daemon/util/container.h"
#include "daemon/util/log.h"

/* A step of the wall clock is noticed within this time. */
#define LONGEST_SLEEP_MS 60000
#define RETRY_MS 30000		/* after an end that could not be carried out */

static uint64_t until(uint64_t due, uint64_t now)
{
	return due > now ? due - now : 0;
}

static uint64_t first_override_ms(const struct scope *scope)
{
	struct prodd_iter it = prodd_iter(scope->live->record.overrides);
	uint64_t now = clock_wall_ms(), least = UINT64_MAX;
	struct wire_override override;

	while (prodd_next(&it, &wire_record_override, &override, NULL) > 0)
		if (override.expires_ms && until(override.expires_ms, now) < least)
			least = until(override.expires_ms, now);
	return least;
}

static uint64_t confirmation_ms(const struct scope *scope)
{
	return scope->row->fallback ? until(scope->row->confirm_boot_ms, clock_boot_ms()) : UINT64_MAX;
}

/* When something of the scope is over, by the monotonic clock from now on; an end that failed waits for its next try. */
static uint64_t due_ms(const struct scope *scope)
{
	uint64_t confirmation, override, least;

	if (!scope->live)
		return UINT64_MAX;
	confirmation = confirmation_ms(scope);
	override = first_override_ms(scope);
	least = confirmation < override ? confirmation : override;
	override = until(scope->no_end_before_ms, clock_monotonic_ms());
	return least > override ? least : override;
}

static void end(struct scope *scope, enum request_kind kind)
{
	struct request *request = request_new(kind, scope->app, "prodd", NULL);

	scope->no_end_before_ms = clock_monotonic_ms() + RETRY_MS;
	if (!request) {
		log_error("%s: no memory to end what is over; tried again in %u s", scope->app->name, RETRY_MS / 1000);
		return;
	}
	request->scope = scope;
	if (kind == REQUEST_FALL_BACK) {
		request->generation = scope->row->fallback;
		counters.confirmations_expired++;
	} else {
		counters.overrides_expired++;
	}
	request_submit(request, 0);
}

/* One at a time for each app: its end plans the next. */
static void end_what_is_over(struct app *app)
{
	struct scope *scope;

	LIST_FOREACH(scope, &app->scopes, link) {
		if (app_is_busy(app))
			return;
		if (due_ms(scope) == 0)
			end(scope, confirmation_ms(scope) == 0 ? REQUEST_FALL_BACK : REQUEST_EXPIRE);
	}
}

static void expiry_fired(struct loop_timer *timer)
{
	struct config *config = container_of(timer, struct config, expiry);
	struct app *app;

	for (app = config->apps; app; app = app->hh.next)
		end_what_is_over(app);
	expiry_plan(config);
}

int expiry_init(struct config *config, struct prodd_error *e)
{
	return loop_timer_init(&config->expiry, config->loop, expiry_fired, e);
}

static uint64_t next_ms(const struct app *app)
{
	uint64_t least = UINT64_MAX, one;
	const struct scope *scope;

	LIST_FOREACH(scope, &app->scopes, link) {
		one = due_ms(scope);
		if (one < least)
			least = one;
	}
	/* Something is over, but a transaction runs: its end plans anew. */
	return least == 0 && app_is_busy(app) ? UINT64_MAX : least;
}

void expiry_plan(struct config *config)
{
	uint64_t least = UINT64_MAX, one;
	struct app *app;

	for (app = config->apps; app; app = app->hh.next) {
		one = next_ms(app);
		if (one < least)
			least = one;
	}
	if (least == UINT64_MAX)
		loop_timer_disarm(&config->expiry);
	else
		loop_timer_arm(&config->expiry, least < LONGEST_SLEEP_MS ? least : LONGEST_SLEEP_MS);
}
