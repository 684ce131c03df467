# Every third-party library and where it comes from. Debian's packages are found; the pinned archives of
# tools/deps.lock lie in .deps (tools/setup.sh puts them there).
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(ICU REQUIRED COMPONENTS i18n uc)
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka)

set(COTERIE_DEPS ${CMAKE_SOURCE_DIR}/.deps)

# DuckDB: a system library wins where there is one.
find_path(DUCKDB_INCLUDE duckdb.h HINTS ${COTERIE_DEPS}/duckdb-header/src/duckdb/src/include)
find_library(DUCKDB_LIBRARY duckdb HINTS ${COTERIE_DEPS}/duckdb-lib-${CMAKE_HOST_SYSTEM_PROCESSOR})
if(NOT DUCKDB_INCLUDE OR NOT DUCKDB_LIBRARY)
    message(FATAL_ERROR "DuckDB is not here: run tools/setup.sh first")
endif()
# The folder of duckdb.h also holds the C++ headers, which collide with ours: only the C header is taken.
configure_file(${DUCKDB_INCLUDE}/duckdb.h ${CMAKE_BINARY_DIR}/deps/include/duckdb.h COPYONLY)
add_library(duckdb SHARED IMPORTED)
set_target_properties(duckdb PROPERTIES IMPORTED_LOCATION ${DUCKDB_LIBRARY} IMPORTED_NO_SONAME OFF
                      INTERFACE_INCLUDE_DIRECTORIES ${CMAKE_BINARY_DIR}/deps/include)
set(CMAKE_BUILD_RPATH "$ORIGIN;$ORIGIN/../lib")
get_filename_component(duckdb_folder ${DUCKDB_LIBRARY} DIRECTORY)
list(APPEND CMAKE_BUILD_RPATH ${duckdb_folder})
set(CMAKE_INSTALL_RPATH "$ORIGIN/../lib")

# yyjson: C files of the PyPI source archive.
configure_file(${COTERIE_DEPS}/yyjson/yyjson/yyjson.h ${CMAKE_BINARY_DIR}/deps/include/yyjson.h COPYONLY)
add_library(yyjson STATIC ${COTERIE_DEPS}/yyjson/yyjson/yyjson.c)
target_include_directories(yyjson SYSTEM PUBLIC ${CMAKE_BINARY_DIR}/deps/include)
target_compile_options(yyjson PRIVATE -w -fno-sanitize=all) # others' code: minutes of compiling, nothing of ours tested

foreach(library xxhash zstd openblas nlopt xgboost microhttpd)
    find_library(${library}_FOUND_LIBRARY ${library} REQUIRED)
    add_library(${library} INTERFACE)
    target_link_libraries(${library} INTERFACE ${${library}_FOUND_LIBRARY})
endforeach()
find_path(OPENBLAS_INCLUDE cblas.h PATH_SUFFIXES openblas x86_64-linux-gnu aarch64-linux-gnu REQUIRED)
target_include_directories(openblas SYSTEM INTERFACE ${OPENBLAS_INCLUDE})
