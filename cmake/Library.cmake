# The learners as a C library: include/coterie, libcoterie (static and shared) and coterie.pc. It is made of the layers
# that never see customers (base, num, ml), so that it needs no DuckDB.
set(library_objects $<TARGET_OBJECTS:cot_base> $<TARGET_OBJECTS:cot_num> $<TARGET_OBJECTS:cot_ml> $<TARGET_OBJECTS:yyjson>)
set(library_needs Threads::Threads m xxhash ICU::i18n ICU::uc OpenSSL::Crypto openblas nlopt ZLIB::ZLIB)

add_library(coterie_static STATIC ${library_objects})
set_target_properties(coterie_static PROPERTIES OUTPUT_NAME coterie LINKER_LANGUAGE C)
target_include_directories(coterie_static PUBLIC ${CMAKE_SOURCE_DIR}/include)
target_link_libraries(coterie_static PUBLIC ${library_needs})
install(TARGETS coterie_static ARCHIVE DESTINATION lib COMPONENT library)

if(NOT COTERIE_SANITIZE)
    add_library(coterie_shared SHARED ${library_objects})
    set_target_properties(coterie_shared PROPERTIES OUTPUT_NAME coterie LINKER_LANGUAGE C VERSION ${PROJECT_VERSION}
                          SOVERSION ${PROJECT_VERSION_MAJOR})
    target_include_directories(coterie_shared PUBLIC ${CMAKE_SOURCE_DIR}/include)
    target_link_libraries(coterie_shared PRIVATE ${library_needs})
    target_link_options(coterie_shared PRIVATE -Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/libcoterie.map -Wl,-z,defs)
    install(TARGETS coterie_shared LIBRARY DESTINATION lib COMPONENT library)
endif()

configure_file(${CMAKE_SOURCE_DIR}/cmake/coterie.pc.in ${CMAKE_BINARY_DIR}/coterie.pc @ONLY)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/coterie DESTINATION include COMPONENT library)
install(FILES ${CMAKE_BINARY_DIR}/coterie.pc DESTINATION lib/pkgconfig COMPONENT library)
