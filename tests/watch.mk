# SPDX-License-Identifier: Apache-2.0
# The daemon as a whole: watching, access, reading and validation, and what it does when its own ground gives way.

if DAEMON
watch_tests = \
	tests/integration/every_byte_is_counted.py \
	tests/integration/sockets_and_directories_are_made_as_they_must_be.py \
	tests/integration/status_and_command_tell_who_may_use_a_name.py \
	tests/integration/a_stranger_speaks_from_the_manual_page.py \
	tests/integration/events_tell_what_happened.py \
	tests/integration/five_thousand_settings_hold_nobody_up.py \
	tests/integration/the_command_tells_the_whole_story.py \
	tests/integration/the_ground_gives_way_and_what_is_live_stays.py \
	tests/integration/watch_ends_at_the_final_content.py \
	tests/integration/watch_reloads_what_has_changed_and_nothing_else.py
dist_check_SCRIPTS += $(watch_tests)
TESTS += $(watch_tests)
EXTRA_DIST += tests/integration/changing.py tests/integration/protocol_page.py tests/integration/saving.py
endif
