# SPDX-License-Identifier: Apache-2.0
# client/: the library. proto/ and libc only.

proddinclude_HEADERS += \
	client/include/prodd/client.h \
	client/include/prodd/config.h \
	client/include/prodd/handle.h
