// SPDX-License-Identifier: Apache-2.0
#include <netns/local/row.hpp>

namespace beeline::conformance {

std::vector<Row> all_rows() {
    std::vector<Row> rows;
    for (const auto &part :
         {order_rows(), load_rows(), loop_rows(), pressure_rows(), close_rows(), receive_rows(), send_rows(),
          wait_rows(), uring_rows(), task_rows(), thread_rows(), life_rows(), tuple_rows()})
        rows.insert(rows.end(), part.begin(), part.end());
    return rows;
}

} // namespace beeline::conformance
