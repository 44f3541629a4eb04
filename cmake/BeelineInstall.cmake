# cmake --install: the program, one static library a part, headers, man page, completion, systemd unit, and the CMake
# package, so that another project can say find_package(beeline) and link beeline::edge.
include(CMakePackageConfigHelpers)

get_property(libraries GLOBAL PROPERTY BEELINE_LIBRARIES)
install(TARGETS beeline_abi ${libraries} EXPORT beelineTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET beeline)
  install(TARGETS beeline RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
# Where Debian's runtimes look for CNI plugins, with the prefix /usr.
install(TARGETS beeline-cni RUNTIME DESTINATION lib/cni)

install(DIRECTORY include/beeline abi/beeline DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp" PATTERN "*.h")
install(FILES docs/beeline.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES contrib/beeline.bash-completion DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME beeline)
install(FILES LICENSE LICENSES/Apache-2.0.txt LICENSES/GPL-2.0-only.txt LICENSES/BSD-2-Clause.txt
  DESTINATION ${CMAKE_INSTALL_DOCDIR})
# systemd looks in lib/, never in lib/<multiarch>.
configure_file(contrib/beeline.service.in ${CMAKE_CURRENT_BINARY_DIR}/beeline.service @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/beeline.service DESTINATION lib/systemd/system)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/beeline)
install(EXPORT beelineTargets NAMESPACE beeline:: DESTINATION ${package})
configure_package_config_file(cmake/beelineConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/beelineConfig.cmake
  INSTALL_DESTINATION ${package} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/beelineConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/beelineConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/beelineConfigVersion.cmake
  DESTINATION ${package})
