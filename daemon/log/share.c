/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log/share.h"

#include <stddef.h>

enum { one = 1000000, longest_us = 10 * 1000000 };

void shares_init(struct shares *shares, uint64_t rate, uint64_t burst)
{
	*shares = (struct shares){ .rate = rate, .burst = burst ? burst : rate };
	shares->spare = shares->burst * one;
	LIST_INIT(&shares->members);
}

void shares_enter(struct shares *shares, struct share *share)
{
	if (share->entered)
		return;
	share->entered = true;
	share->tokens = 0;
	LIST_INSERT_HEAD(&shares->members, share, link);
	shares->count++;
}

void shares_leave(struct shares *shares, struct share *share)
{
	if (!share->entered)
		return;
	share->entered = false;
	LIST_REMOVE(share, link);
	shares->count--;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What does not fit into a member's bucket goes to the spare one. */
void shares_fill(struct shares *shares, uint64_t now_us)
{
	uint64_t passed = least(now_us - shares->filled_us, longest_us), all = passed * shares->rate;
	uint64_t burst = shares->burst * one, part, most;
	struct share *share;

	if (shares->rate == 0 || (shares->filled_us != 0 && all == 0))
		return;
	if (shares->filled_us == 0)
		all = 0;
	shares->filled_us = now_us;
	part = shares->count ? all / shares->count : 0;
	most = shares->count ? burst / shares->count : 0;
	LIST_FOREACH(share, &shares->members, link) {
		uint64_t got = least(part, most > share->tokens ? most - share->tokens : 0);

		share->tokens += got;
		all -= got;
	}
	shares->spare = least(shares->spare + all, burst);
}

bool shares_take(struct shares *shares, struct share *share)
{
	uint64_t *from = share->tokens >= one ? &share->tokens : &shares->spare;

	if (shares->rate == 0)
		return true;
	if (*from < one)
		return false;
	*from -= one;
	return true;
}
