# SPDX-License-Identifier: Apache-2.0
include doc/client.mk
include doc/metrics.mk
include doc/pages.mk
include doc/prodctl.mk
include doc/protocol.mk
include doc/records.mk
