# Every library the rooms link, found once.
find_package(Boost 1.81 CONFIG REQUIRED COMPONENTS json url)
find_package(OpenSSL REQUIRED)
find_package(Threads REQUIRED)
find_package(Protobuf REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(CURL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(spdlog REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(srtp2 REQUIRED IMPORTED_TARGET libsrtp2)
pkg_check_modules(opus REQUIRED IMPORTED_TARGET opus)
pkg_check_modules(jwt REQUIRED IMPORTED_TARGET libjwt)
pkg_check_modules(rabbitmq REQUIRED IMPORTED_TARGET librabbitmq)
pkg_check_modules(brotlienc REQUIRED IMPORTED_TARGET libbrotlienc)
pkg_check_modules(prometheus REQUIRED IMPORTED_TARGET prometheus-cpp-core)

# ccache can only reuse a precompiled header that carries no time stamp.
add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror=return-type -fno-omit-frame-pointer)
if(VC_INSTRUMENTED)
    add_compile_options(-fsanitize=address,undefined -fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined -O1 -g1)
    add_link_options(-fsanitize=address,undefined)
endif()

# Boost.Asio and Boost.Beast are compiled once, here, instead of in every file that includes them.
file(WRITE ${CMAKE_BINARY_DIR}/asio.cpp
    "#include <boost/asio/impl/src.hpp>\n#include <boost/asio/ssl/impl/src.hpp>\n#include <boost/beast/src.hpp>\n")
add_library(asio STATIC ${CMAKE_BINARY_DIR}/asio.cpp)
target_compile_definitions(asio PUBLIC BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
    BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_HAS_STD_INVOKE_RESULT)
target_link_libraries(asio PUBLIC Boost::headers OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
target_precompile_headers(asio PUBLIC <boost/asio.hpp> <boost/beast.hpp> <string> <vector> <memory> <expected>
    <functional> <optional> <chrono>)
