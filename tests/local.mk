# SPDX-License-Identifier: Apache-2.0
include tests/proto.mk
include tests/fuzz.mk
include tests/prodctl.mk
