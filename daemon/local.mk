# SPDX-License-Identifier: Apache-2.0
include daemon/util.mk
include daemon/tree.mk
include daemon/layers.mk
include daemon/parse.mk
include daemon/spool.mk
include daemon/ship.mk
include daemon/core.mk
include daemon/tail.mk
include daemon/log.mk
include daemon/expose.mk
include daemon/metric.mk
include daemon/config.mk
