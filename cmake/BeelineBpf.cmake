# beeline_bpf(NAME SOURCE [TEST]): compiles one BPF object and makes its skeleton. TEST: not part of the package.
#   target beeline_bpf_NAME (alias beeline::bpf::NAME), header <NAME.skel.h> with struct NAME_bpf.
# The object is inside the skeleton, so it is inside the binary.
find_program(BPF_CLANG NAMES clang clang-14 clang-19 REQUIRED)
find_program(BPFTOOL NAMES bpftool PATHS /usr/sbin /sbin REQUIRED)

function(beeline_bpf name source)
  set(dir ${CMAKE_BINARY_DIR}/bpf)
  file(MAKE_DIRECTORY ${dir})
  set(object ${dir}/${name}.bpf.o)
  set(skeleton ${dir}/${name}.skel.h)
  # -mcpu=v3: 32-bit jumps and atomics with a result (cmpxchg); clang 14's default is v1.
  add_custom_command(OUTPUT ${object}
    COMMAND ${BPF_CLANG} -target bpf -mcpu=v3 -std=gnu11 -O2 -g -Wall -Wextra -Wno-unused-parameter -Werror
      -I${PROJECT_SOURCE_DIR}/abi -I${PROJECT_SOURCE_DIR}/bpf -idirafter /usr/include/${CMAKE_CXX_LIBRARY_ARCHITECTURE}
      -MD -MF ${object}.d -MT ${object} -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
    DEPENDS ${source} DEPFILE ${object}.d COMMENT "BPF ${name}" VERBATIM)
  add_custom_command(OUTPUT ${skeleton}
    COMMAND ${BPFTOOL} gen skeleton ${object} name ${name}_bpf > ${skeleton}.tmp
    COMMAND ${CMAKE_COMMAND} -E rename ${skeleton}.tmp ${skeleton}
    DEPENDS ${object} COMMENT "skeleton ${name}" VERBATIM)
  add_custom_target(beeline_bpf_${name}_files DEPENDS ${skeleton})
  add_library(beeline_bpf_${name} INTERFACE)
  add_library(beeline::bpf::${name} ALIAS beeline_bpf_${name})
  add_dependencies(beeline_bpf_${name} beeline_bpf_${name}_files)
  target_include_directories(beeline_bpf_${name} SYSTEM INTERFACE $<BUILD_INTERFACE:${dir}>)
  target_link_libraries(beeline_bpf_${name} INTERFACE PkgConfig::LIBBPF)
  # A static library that holds the skeleton names this target in its link interface, so the package has it too.
  set_target_properties(beeline_bpf_${name} PROPERTIES EXPORT_NAME bpf_${name})
  if(NOT "TEST" IN_LIST ARGN)
    set_property(GLOBAL APPEND PROPERTY BEELINE_LIBRARIES beeline_bpf_${name})
  endif()
endfunction()
