// SPDX-License-Identifier: Apache-2.0
//
// In place of lab.cpp where the laboratory is not built.
#include "cli/command.hpp"

namespace beeline::cli {

void add_lab(Commands &) {}

} // namespace beeline::cli
