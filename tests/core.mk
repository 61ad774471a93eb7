# SPDX-License-Identifier: Apache-2.0
# Unit tests of daemon/util and daemon/core, and hostile peers against the real daemon.

if DAEMON
if HAVE_CHECK
core_unit_tests = \
	tests/unit/account \
	tests/unit/disk \
	tests/unit/events \
	tests/unit/file \
	tests/unit/helper \
	tests/unit/identity \
	tests/unit/mapping \
	tests/unit/places \
	tests/unit/rollout \
	tests/unit/server \
	tests/unit/session \
	tests/unit/session_calls \
	tests/unit/session_descriptors \
	tests/unit/session_limits \
	tests/unit/session_output \
	tests/unit/worker
check_PROGRAMS += $(core_unit_tests)
TESTS += $(core_unit_tests)

core_unit_cflags = $(AM_CFLAGS) $(CHECK_CFLAGS) $(LIBEVENT_CFLAGS)
core_unit_libs = libprodd-core.la $(MSGPACK_LIBS) $(CHECK_LIBS)
rig = tests/unit/rig.c tests/unit/rig.h

tests_unit_account_SOURCES = tests/unit/account.c $(suite)
tests_unit_account_CFLAGS = $(core_unit_cflags)
tests_unit_account_LDADD = $(core_unit_libs)
tests_unit_disk_SOURCES = tests/unit/disk.c $(suite)
tests_unit_disk_CFLAGS = $(core_unit_cflags)
tests_unit_disk_LDADD = $(core_unit_libs)
tests_unit_events_SOURCES = tests/unit/events.c $(rig) $(suite)
tests_unit_events_CFLAGS = $(core_unit_cflags)
tests_unit_events_LDADD = $(core_unit_libs)
tests_unit_file_SOURCES = tests/unit/file.c $(suite)
tests_unit_file_CFLAGS = $(core_unit_cflags)
tests_unit_file_LDADD = $(core_unit_libs)
tests_unit_helper_SOURCES = tests/unit/helper.c $(suite)
tests_unit_helper_CFLAGS = $(core_unit_cflags)
tests_unit_helper_LDADD = $(core_unit_libs)
tests_unit_identity_SOURCES = tests/unit/identity.c $(suite)
tests_unit_identity_CFLAGS = $(core_unit_cflags)
tests_unit_identity_LDADD = $(core_unit_libs)
tests_unit_mapping_SOURCES = tests/unit/mapping.c $(suite)
tests_unit_mapping_CFLAGS = $(core_unit_cflags)
tests_unit_mapping_LDADD = $(core_unit_libs)
tests_unit_places_SOURCES = tests/unit/places.c $(suite)
tests_unit_places_CFLAGS = $(core_unit_cflags)
tests_unit_places_LDADD = $(core_unit_libs)
tests_unit_rollout_SOURCES = tests/unit/rollout.c $(rig) $(suite)
tests_unit_rollout_CFLAGS = $(core_unit_cflags)
tests_unit_rollout_LDADD = $(core_unit_libs)
tests_unit_server_SOURCES = tests/unit/server.c $(rig) $(suite)
tests_unit_server_CFLAGS = $(core_unit_cflags)
tests_unit_server_LDADD = $(core_unit_libs)
tests_unit_session_SOURCES = tests/unit/session.c $(rig) $(suite)
tests_unit_session_CFLAGS = $(core_unit_cflags)
tests_unit_session_LDADD = $(core_unit_libs)
tests_unit_session_limits_SOURCES = tests/unit/session_limits.c $(rig) $(suite)
tests_unit_session_limits_CFLAGS = $(core_unit_cflags)
tests_unit_session_limits_LDADD = $(core_unit_libs)
tests_unit_session_calls_SOURCES = tests/unit/session_calls.c $(rig) $(suite)
tests_unit_session_calls_CFLAGS = $(core_unit_cflags)
tests_unit_session_calls_LDADD = $(core_unit_libs)
tests_unit_session_descriptors_SOURCES = tests/unit/session_descriptors.c $(rig) $(suite)
tests_unit_session_descriptors_CFLAGS = $(core_unit_cflags)
tests_unit_session_descriptors_LDADD = $(core_unit_libs)
tests_unit_session_output_SOURCES = tests/unit/session_output.c $(rig) $(suite)
tests_unit_session_output_CFLAGS = $(core_unit_cflags)
tests_unit_session_output_LDADD = $(core_unit_libs)
tests_unit_worker_SOURCES = tests/unit/worker.c $(suite)
tests_unit_worker_CFLAGS = $(core_unit_cflags)
tests_unit_worker_LDADD = $(core_unit_libs)
endif

hostile_tests = \
	tests/integration/hostile_bytes_end_their_session_alone.py \
	tests/integration/hostile_connects_leave_room.py \
	tests/integration/hostile_descriptors_and_answers_are_refused.py \
	tests/integration/hostile_readers_are_cut.py
dist_check_SCRIPTS += $(hostile_tests)
TESTS += $(hostile_tests)
EXTRA_DIST += \
	tests/integration/harness.py \
	tests/integration/hostile.py \
	tests/integration/peers.py \
	tests/integration/waiting.py

rights_tests = \
	tests/integration/names_belong_to_their_users.py
dist_check_SCRIPTS += $(rights_tests)
TESTS += $(rights_tests)
endif
