// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <beeline/kernel/fd.hpp>
#include <harness/assert.hpp>

#include "local/program_file.hpp"

namespace beeline::local {
namespace {

/// Maps a file to run, as the loader does, while it lives.
class Mapped {
public:
    explicit Mapped(const std::filesystem::path &file) {
        const kernel::UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
        at_ = ::mmap(nullptr, kSize, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd.get(), 0);
    }
    Mapped(const Mapped &) = delete;
    Mapped &operator=(const Mapped &) = delete;
    ~Mapped() {
        if (there())
            ::munmap(at_, kSize);
    }
    [[nodiscard]] bool there() const { return at_ != MAP_FAILED; }

private:
    static constexpr std::size_t kSize = 4096;
    void *at_;
};

Reads of_this_process() {
    const auto program = inspect_program(::getpid());
    return program ? program->reads : Reads::unknown;
}

class ProgramFileTest : public testing::Test {
protected:
    void SetUp() override {
        if (::geteuid() != 0)
            GTEST_SKIP() << "the files behind mappings are root's to open";
        std::string name = (std::filesystem::temp_directory_path() / "bl-mapped-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        directory_ = name;
    }
    void TearDown() override {
        std::error_code error;
        std::filesystem::remove_all(directory_, error);
    }
    std::filesystem::path directory_;
};

TEST_F(ProgramFileTest, TellsAProgramByWhatItAndItsLibrariesImport) {
    EXPECT_EQ(of_this_process(), Reads::by_receiving);
    const Mapped library(BEELINE_SPLICING);
    ASSERT_TRUE(library.there());
    EXPECT_EQ(of_this_process(), Reads::maybe_spliced);
}

TEST_F(ProgramFileTest, TellsAProgramThatAsksHowMuchThereIs) {
    const Mapped library(BEELINE_COUNTING);
    ASSERT_TRUE(library.there());
    EXPECT_EQ(of_this_process(), Reads::maybe_counted);
}

TEST_F(ProgramFileTest, KnowsLibrariesThatAskItOfOtherThings) {
    const std::filesystem::path copy = directory_ / "libsystemd.so.0.35.0";
    std::filesystem::copy_file(BEELINE_COUNTING, copy);
    const Mapped library(copy);
    ASSERT_TRUE(library.there());
    EXPECT_EQ(of_this_process(), Reads::by_receiving);
}

TEST_F(ProgramFileTest, LooksIntoALibraryThatWasDeletedSince) {
    const std::filesystem::path copy = directory_ / "library.so";
    std::filesystem::copy_file(BEELINE_SPLICING, copy);
    const Mapped library(copy);
    ASSERT_TRUE(library.there());
    std::filesystem::remove(copy);
    EXPECT_EQ(of_this_process(), Reads::maybe_spliced);
}

TEST_F(ProgramFileTest, DoesNotTrustWhatItCannotRead) {
    const std::filesystem::path file = directory_ / "code";
    std::ofstream(file) << "no ELF";
    EXPECT_EQ(inspect_file(file), Reads::unknown);
    EXPECT_EQ(inspect_file(directory_ / "none"), Reads::unknown);
    const Mapped code(file);
    ASSERT_TRUE(code.there());
    EXPECT_EQ(of_this_process(), Reads::unknown);
}

} // namespace
} // namespace beeline::local
