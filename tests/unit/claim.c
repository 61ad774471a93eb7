/* SPDX-License-Identifier: Apache-2.0 */
/* Who may use which app name: the rule without a block, and what a block makes of it. */
#include <string.h>

#include "daemon/config/claim.h"
#include "tests/unit/suite.h"

enum { OWN = 990, ALICE = 1000, NOBODY = 65534 };

static struct settings settings;
static struct app_block block;

static void clear(void)
{
	HASH_CLEAR(hh, settings.blocks);
	memset(&block, 0, sizeof block);
}

/* The block of "orders"; NULL: not set. */
static void set_block(const char *unit, const char *user, const char *group)
{
	snprintf(block.name, sizeof block.name, "orders");
	snprintf(block.unit, sizeof block.unit, "%s", unit ? unit : "");
	snprintf(block.user, sizeof block.user, "%s", user ? user : "");
	snprintf(block.group, sizeof block.group, "%s", group ? group : "");
	HASH_ADD_STR(settings.blocks, name, &block);
}

static bool may(uid_t uid, const char *user, const char *unit)
{
	struct identity who = { .uid = uid, .gid = uid, .pid = 1, .pidfd = -1 };

	snprintf(who.user, sizeof who.user, "%s", user);
	snprintf(who.unit, sizeof who.unit, "%s", unit);
	return claim_allows(&settings, &who, OWN, "orders");
}

START_TEST(without_a_block_unit_user_root_and_own_uid)
{
	ck_assert(may(0, "root", ""));
	ck_assert(may(OWN, "prodd", ""));
	ck_assert(may(ALICE, "orders", ""));
	ck_assert(may(ALICE, "alice", "orders.service"));
	ck_assert(may(ALICE, "alice", "orders@8080.service"));
	ck_assert(!may(ALICE, "alice", ""));
	ck_assert(!may(ALICE, "alice", "orders-admin.service"));
	ck_assert(!may(ALICE, "alice", "my-orders.service"));
	ck_assert(!may(ALICE, "alice", "orders.socket"));
	ck_assert(!may(ALICE, "order", ""));
}
END_TEST

START_TEST(a_block_replaces_the_rule)
{
	set_block(NULL, "alice", NULL);
	ck_assert(may(ALICE, "alice", ""));
	ck_assert(!may(0, "root", ""));
	ck_assert(!may(OWN, "prodd", ""));
	ck_assert(!may(1001, "orders", "orders.service"));
}
END_TEST

START_TEST(a_block_that_names_nobody_leaves_the_rule)
{
	set_block(NULL, NULL, NULL);
	ck_assert(may(0, "root", ""));
	ck_assert(!may(ALICE, "alice", ""));
}
END_TEST

START_TEST(a_user_by_number)
{
	set_block(NULL, "1000", NULL);
	ck_assert(may(ALICE, "alice", ""));
	ck_assert(!may(100, "bob", ""));
	ck_assert(!may(10000, "bob", ""));
}
END_TEST

START_TEST(a_unit_and_all_of_a_template)
{
	static const char *const templates[] = { "shop@.service", "shop@*.service" };

	set_block("shop.service", NULL, NULL);
	ck_assert(may(ALICE, "alice", "shop.service"));
	ck_assert(!may(ALICE, "alice", "orders.service"));
	ck_assert(!may(ALICE, "alice", "shop@1.service"));
	ck_assert(!may(ALICE, "alice", ""));
	for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
		clear();
		set_block(templates[i], NULL, NULL);
		ck_assert(may(ALICE, "alice", "shop@1.service"));
		ck_assert(may(ALICE, "alice", "shop@8080.service"));
		ck_assert(!may(ALICE, "alice", "shop.service"));
		ck_assert(!may(ALICE, "alice", "shopping@1.service"));
	}
}
END_TEST

START_TEST(a_group_by_its_members)
{
	set_block(NULL, NULL, "root");
	ck_assert(may(0, "root", ""));
	ck_assert(!may(ALICE, "alice", ""));
}
END_TEST

START_TEST(the_overflow_user_may_use_no_name)
{
	ck_assert(!may(NOBODY, "orders", "orders.service"));
	set_block(NULL, "65534", NULL);
	ck_assert(!may(NOBODY, "nobody", ""));
}
END_TEST

START_TEST(the_instance_part_of_a_unit)
{
	char name[64];

	claim_unit_instance("orders@8080.service", name, sizeof name);
	ck_assert_str_eq(name, "8080");
	claim_unit_instance("orders@a.b.service", name, sizeof name);
	ck_assert_str_eq(name, "a.b");
	claim_unit_instance("orders.service", name, sizeof name);
	ck_assert_str_eq(name, "");
	claim_unit_instance("", name, sizeof name);
	ck_assert_str_eq(name, "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("claim");
	TCase *tc = tcase_create("claim");

	tcase_add_checked_fixture(tc, NULL, clear);
	tcase_add_test(tc, without_a_block_unit_user_root_and_own_uid);
	tcase_add_test(tc, a_block_replaces_the_rule);
	tcase_add_test(tc, a_block_that_names_nobody_leaves_the_rule);
	tcase_add_test(tc, a_user_by_number);
	tcase_add_test(tc, a_unit_and_all_of_a_template);
	tcase_add_test(tc, a_group_by_its_members);
	tcase_add_test(tc, the_overflow_user_may_use_no_name);
	tcase_add_test(tc, the_instance_part_of_a_unit);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
