# SPDX-License-Identifier: Apache-2.0
include packaging/completion.mk
