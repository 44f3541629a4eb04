// SPDX-License-Identifier: Apache-2.0
#include <beeline/kernel/pin_dir.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <beeline/kernel/typed_map.hpp>
#include <harness/assert.hpp>
#include <harness/names.hpp>
#include <harness/temp_bpffs.hpp>

namespace beeline::kernel {
namespace {

using IntMap = Map<std::uint32_t, std::uint32_t>;
namespace fs = std::filesystem;

class Pins : public testing::Test {
protected:
    void SetUp() override {
        BL_NEED_ROOT();
        ASSERT_VALUE(auto bpffs, harness::TempBpffs::mount());
        bpffs_.emplace(std::move(bpffs));
        root_ = bpffs_->path() / "beeline";
    }
    /// Pins an array whose only value is version.
    static Result<> pin_version(const fs::path &directory, std::uint32_t version) {
        BL_TRY(UniqueFd fd, create_map({.type = BPF_MAP_TYPE_ARRAY, .name = "bl_version"}));
        BL_TRY(IntMap map, IntMap::adopt(std::move(fd)));
        BL_CHECK(map.update(0, version));
        return map.pin(directory / "version");
    }
    static std::uint32_t version_in(const fs::path &directory) {
        const auto map = IntMap::from_pin(directory / "version");
        if (!map)
            return 0;
        return map->lookup(0).value_or(std::nullopt).value_or(0);
    }
    [[nodiscard]] std::vector<std::string> in_root() const {
        std::vector<std::string> names;
        for (const auto &entry : fs::directory_iterator(root_))
            names.push_back(entry.path().filename());
        std::sort(names.begin(), names.end());
        return names;
    }
    std::optional<harness::TempBpffs> bpffs_;
    fs::path root_;
};

TEST_F(Pins, appear_all_at_once) {
    ASSERT_VALUE(PinDir pins, PinDir::lock(root_));
    ASSERT_VALUE(PinStage stage, pins.stage("edge"));
    ASSERT_OK(pin_version(stage.path(), 1));
    ASSERT_VALUE(const bool early, pins.exists("edge"));
    EXPECT_FALSE(early);
    ASSERT_VALUE(CommittedPins committed, std::move(stage).commit());
    EXPECT_EQ(committed.path(), root_ / "edge");
    EXPECT_FALSE(committed.old());
    ASSERT_OK(std::move(committed).finish());
    EXPECT_EQ(version_in(root_ / "edge"), 1U);
    EXPECT_EQ(in_root(), (std::vector<std::string>{"edge"}));
    EXPECT_EQ(fs::status(root_).permissions(), fs::perms::owner_all);
}

TEST_F(Pins, are_exchanged_and_the_old_ones_removed) {
    ASSERT_VALUE(PinDir pins, PinDir::lock(root_));
    for (std::uint32_t version = 1; version <= 3; ++version) {
        ASSERT_VALUE(PinStage stage, pins.stage("edge"));
        ASSERT_OK(pin_version(stage.path(), version));
        ASSERT_VALUE(CommittedPins committed, std::move(stage).commit());
        EXPECT_EQ(committed.old().has_value(), version > 1);
        if (committed.old()) {
            EXPECT_EQ(version_in(*committed.old()), version - 1) << "the old ones are there until finish()";
        }
        EXPECT_EQ(version_in(pins.live("edge")), version);
        ASSERT_OK(std::move(committed).finish());
    }
    EXPECT_EQ(in_root(), (std::vector<std::string>{"edge"}));
}

TEST_F(Pins, staged_but_not_committed_vanish) {
    ASSERT_VALUE(PinDir pins, PinDir::lock(root_));
    {
        ASSERT_VALUE(const PinStage stage, pins.stage("edge"));
        ASSERT_OK(pin_version(stage.path(), 1));
        ASSERT_EQ(::mkdir((stage.path() / "links").c_str(), 0700), 0);
        ASSERT_OK(pin_version(stage.path() / "links", 2));
        EXPECT_EQ(in_root().size(), 1U);
    }
    EXPECT_TRUE(in_root().empty());
}

TEST_F(Pins, committed_can_be_undone) {
    ASSERT_VALUE(PinDir pins, PinDir::lock(root_));
    {
        ASSERT_VALUE(PinStage stage, pins.stage("edge"));
        ASSERT_OK(pin_version(stage.path(), 1));
        ASSERT_VALUE(CommittedPins first, std::move(stage).commit());
        ASSERT_OK(std::move(first).undo());
        EXPECT_TRUE(in_root().empty()) << "there was nothing before";
    }
    for (std::uint32_t version = 1; version <= 2; ++version) {
        ASSERT_VALUE(PinStage stage, pins.stage("edge"));
        ASSERT_OK(pin_version(stage.path(), version));
        ASSERT_VALUE(CommittedPins committed, std::move(stage).commit());
        if (version == 2)
            ASSERT_OK(std::move(committed).undo());
    }
    EXPECT_EQ(version_in(root_ / "edge"), 1U);
    EXPECT_EQ(in_root(), (std::vector<std::string>{"edge"}));
}

TEST_F(Pins, are_one_processs_at_a_time) {
    ASSERT_VALUE(const PinDir pins, PinDir::lock(root_));
    const auto second = PinDir::lock(root_, std::chrono::milliseconds(30)); // another open file: it would conflict
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, Kind::conflict);
    EXPECT_EQ(second.error().what, root_.native() + " is locked by process " + std::to_string(::getpid()));
}

TEST_F(Pins, can_be_locked_when_the_other_lets_go) {
    { ASSERT_OK(PinDir::lock(root_)); }
    ASSERT_OK(PinDir::lock(root_));
}

TEST_F(Pins, of_a_killed_stager_are_removed_with_the_next_lock) {
    int told[2];
    ASSERT_EQ(::pipe(told), 0);
    const pid_t child = ::fork();
    if (child == 0) { // stages over a live directory, then dies without a chance to clean up
        auto pins = PinDir::lock(root_);
        bool good = pins.has_value();
        for (int round = 0; good && round < 2; ++round) {
            auto stage = pins->stage("edge");
            good = stage && pin_version(stage->path(), static_cast<std::uint32_t>(round + 1));
            if (good && round == 0)
                good = std::move(*stage).commit().has_value();
            else if (good && ::write(told[1], "x", 1) == 1)
                ::pause();
        }
        ::_exit(1);
    }
    ::close(told[1]);
    char byte = 0;
    ASSERT_EQ(::read(told[0], &byte, 1), 1) << "the child failed";
    ::close(told[0]);
    EXPECT_FALSE(PinDir::lock(root_)) << "it lives and holds the lock";
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    EXPECT_EQ(in_root().size(), 2U);
    ASSERT_VALUE(const PinDir pins, PinDir::lock(root_));
    EXPECT_EQ(in_root(), (std::vector<std::string>{"edge"}));
    EXPECT_EQ(version_in(root_ / "edge"), 1U) << "what was live stays";
}

TEST_F(Pins, are_removed_by_name_and_all_together) {
    ASSERT_VALUE(PinDir pins, PinDir::lock(root_));
    for (const char *name : {"edge", "meter"}) {
        ASSERT_VALUE(PinStage stage, pins.stage(name));
        ASSERT_OK(pin_version(stage.path(), 1));
        ASSERT_OK(std::move(stage).commit());
    }
    ASSERT_VALUE(const auto names, pins.names());
    EXPECT_EQ(names, (std::vector<std::string>{"edge", "meter"}));
    ASSERT_OK(pins.remove("edge"));
    ASSERT_OK(pins.remove("edge"));
    EXPECT_EQ(in_root(), (std::vector<std::string>{"meter"}));
    ASSERT_OK(std::move(pins).remove_all());
    EXPECT_FALSE(fs::exists(root_));
}

TEST_F(Pins, need_a_bpffs) {
    const fs::path plain = fs::temp_directory_path() / harness::unique_name("plain");
    const auto pins = PinDir::lock(plain);
    ASSERT_FALSE(pins);
    EXPECT_EQ(pins.error().kind, Kind::unsupported);
    EXPECT_EQ(pins.error().what, plain.native() + " is not on a bpffs");
    EXPECT_EQ(pins.error().remedy, "mount -t bpf bpf /sys/fs/bpf");
    EXPECT_FALSE(fs::exists(plain)) << "nothing may be made there";
    EXPECT_FALSE(PinDir::lock("relative/path"));
}

TEST_F(Pins, have_plain_names) {
    ASSERT_VALUE(PinDir pins, PinDir::lock(root_));
    for (const char *name : {"", "_edge", "a.b", "a/b", "..", "."})
        EXPECT_FALSE(pins.stage(name)) << name;
}

TEST_F(Pins, are_all_that_remove_tree_removes) {
    const fs::path plain = fs::temp_directory_path() / harness::unique_name("plain");
    fs::create_directory(plain);
    std::ofstream(plain / "precious") << "data";
    const auto refused = remove_tree(plain);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().what.find("not inside a bpffs"), std::string::npos);
    EXPECT_TRUE(fs::exists(plain / "precious"));
    fs::remove_all(plain);
    EXPECT_FALSE(remove_tree(bpffs_->path())) << "a mount point is not ours to remove";
    ASSERT_OK(remove_tree(bpffs_->path() / "nothing"));
    ASSERT_OK(pin_version(bpffs_->path(), 1));
    ASSERT_OK(remove_tree(bpffs_->path() / "version"));
}

} // namespace
} // namespace beeline::kernel
