# One interface target with the flags of every C++ file of ours.
add_library(beeline_flags INTERFACE)
target_compile_options(beeline_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
  # g++ 12 takes an optional that is empty for one that is read.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
  # Fields that a designated initializer leaves out have their default, and are meant to.
  -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  target_compile_options(beeline_flags INTERFACE
    # libbpf's LIBBPF_OPTS: a GNU statement expression with a compound literal; g++ sees a system header's macro.
    -Wno-gnu-statement-expression -Wno-c99-extensions -Wno-missing-designated-field-initializers
    # Structs of the kernel's uapi have unnamed structs in unnamed unions.
    -Wno-nested-anon-types
    # std::stable_sort of libstdc++ 12 uses what C++17 deprecated.
    -Wno-deprecated-declarations
    # Takes the members of an outer struct for shadowed; g++ does not.
    -Wno-shadow)
endif()
option(BEELINE_WERROR "Warnings are errors" OFF)
if(BEELINE_WERROR)
  target_compile_options(beeline_flags INTERFACE -Werror)
endif()
option(BEELINE_SANITIZE "Build with AddressSanitizer and UBSan" OFF)
if(BEELINE_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
endif()
if(BEELINE_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()

# beeline_library(NAME SOURCES... LINK TARGETS...): a static library beeline_NAME, alias beeline::NAME.
function(beeline_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE" ${ARGN})
  add_library(beeline_${name} STATIC ${ARG_SOURCES})
  add_library(beeline::${name} ALIAS beeline_${name})
  set_target_properties(beeline_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(beeline_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(beeline_${name} PUBLIC beeline::abi ${ARG_LINK} PRIVATE ${ARG_PRIVATE} $<BUILD_INTERFACE:beeline_flags>)
  set_property(GLOBAL APPEND PROPERTY BEELINE_LIBRARIES beeline_${name})
endfunction()
