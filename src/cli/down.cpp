// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"

namespace beeline::cli {
namespace {

Result<int> down(Context &context) {
    BL_TRY(host::Host host, context.host());
    BL_TRY(const host::Down was_up, host.down());
    if (was_up.edge)
        context.out.line("the edge is down; nothing of it is left");
    if (was_up.guests)
        context.out.line("the guests are down; nothing of them is left");
    if (was_up.local)
        context.out.line("[local] is down; every connection is on TCP, nothing is left");
    if (!was_up.edge && !was_up.guests && !was_up.local)
        context.out.line("nothing was up");
    return 0;
}

} // namespace

void add_down(Commands &commands) {
    commands.add("down", "Take everything away: programs, tables, pins", "sudo beeline down", down);
}

} // namespace beeline::cli
