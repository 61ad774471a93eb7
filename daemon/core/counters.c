/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/core/counters.h"

struct counters counters;
