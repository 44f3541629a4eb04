// SPDX-License-Identifier: Apache-2.0
//
// The rows of the conformance table, and how they are run.
#pragma once

#include <string>
#include <vector>

#include <netns/local/accelerator.hpp>
#include <netns/local/stage.hpp>
#include <netns/local/transcript.hpp>

namespace beeline::conformance {

/// What the public recipe makes of a row, in at least one way.
enum class Naive : std::uint8_t {
    same,    ///< Equal to plain TCP.
    differs, ///< Not equal: proof that the row can fail.
    either,  ///< A race decides.
    harmful  ///< Not run: kernels have fallen over it.
};

struct Row {
    std::string name;
    void (*run)(Stage &stage);
    Naive naive = Naive::same;
    /// Setups it makes sense in; none: all.
    bool (*applies)(const Way &way) = nullptr;
    /// TCP tunes the buffers, each time to another size: what is taken is compared with the most TCP took in any way.
    bool tuned = false;
    std::string stays = {}; ///< Why Beeline leaves its connections on TCP; empty: it does not.
    /// What the short cut cannot do like TCP and does not notice in time; empty: nothing. Over Beeline such a row runs
    /// only in the ways in which its connections stay on TCP.
    std::string limit = {};
};

// One function per file of rows.
[[nodiscard]] std::vector<Row> order_rows();
[[nodiscard]] std::vector<Row> load_rows();
[[nodiscard]] std::vector<Row> loop_rows();
[[nodiscard]] std::vector<Row> pressure_rows();
[[nodiscard]] std::vector<Row> close_rows();
[[nodiscard]] std::vector<Row> receive_rows();
[[nodiscard]] std::vector<Row> send_rows();
[[nodiscard]] std::vector<Row> wait_rows();
[[nodiscard]] std::vector<Row> uring_rows();
[[nodiscard]] std::vector<Row> task_rows();
[[nodiscard]] std::vector<Row> thread_rows();
[[nodiscard]] std::vector<Row> life_rows();
[[nodiscard]] std::vector<Row> tuple_rows();
/// Of this test program.
[[nodiscard]] std::vector<Row> all_rows();

/// How long a row may take. One that has not ended is killed, and its transcript ends with "hangs".
inline constexpr unsigned kSeconds = 20;
/// The same for what is there to fail.
inline constexpr unsigned kHurry = 3;

/// Runs the row in each way at the same time, in child processes inside the cgroup.
[[nodiscard]] std::vector<Transcript> run(const Row &row, const std::vector<Way> &ways, const World &world,
                                          const Accelerator &accelerator, kernel::Cgroup &cgroup, unsigned seconds);

/// Why what was seen is not what plain TCP shows; empty: it is.
[[nodiscard]] std::string difference(const Transcript &plain, const Transcript &seen);
/// Why more was taken than by plain TCP.
[[nodiscard]] std::string excess(const Transcript &plain, const Transcript &seen);

} // namespace beeline::conformance
