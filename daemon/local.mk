# SPDX-License-Identifier: Apache-2.0
include daemon/util.mk
include daemon/core.mk
