// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"

namespace beeline::cli {
namespace {

Result<int> down(Context &context) {
    BL_TRY(edge::Edge edge, context.edge());
    BL_TRY(const bool was_up, edge.down());
    context.out.line(was_up ? "the edge is down; nothing of it is left" : "no edge was up");
    return 0;
}

} // namespace

void add_down(Commands &commands) {
    commands.add("down", "Take everything away: programs, tables, pins", "sudo beeline down", down);
}

} // namespace beeline::cli
