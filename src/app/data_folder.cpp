#include "app/data_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/bytes.hpp"

namespace app {
namespace {

std::string reason() {
    return std::strerror(errno);
}

std::unexpected<core::Error> fail(std::string detail) {
    return core::fail(core::ErrorKind::internal, std::move(detail));
}

// A file appears under its name with all of its content, or not at all.
bool write_whole(const std::string& path, std::string_view content) {
    const auto temporary = path + "." + std::to_string(getpid());
    const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return false;
    bool written = write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size());
    written = fsync(file) == 0 && written;
    written = ::close(file) == 0 && written;
    // Unlike rename, link leaves alone what another process has put there in the meantime.
    written = written && (link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST);
    const int error = errno;
    unlink(temporary.c_str());
    errno = error;
    return written;
}

}  // namespace

core::Result<> open_data_folder(const std::string& path) {
    const std::string remedy = "; make it writable for this user, or choose another with --data or DATA_DIR";
    std::error_code failed;
    const auto parent = std::filesystem::absolute(path, failed).lexically_normal().parent_path();
    if (!failed) std::filesystem::create_directories(parent, failed);
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        return fail("data folder " + path + " cannot be made (" + reason() + ")" + remedy);
    }
    struct stat status{};
    if (stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
        return fail("data folder " + path + " is not a folder" + remedy);
    }
    if (access(path.c_str(), W_OK | X_OK) != 0) {
        return fail("data folder " + path + " is not writable (" + reason() + ")" + remedy);
    }
    return {};
}

core::Result<std::string> kept_secret(const std::string& path) {
    if (access(path.c_str(), F_OK) != 0) {
        std::array<std::uint8_t, 32> random;
        core::random_bytes(random);
        if (!write_whole(path, core::hex(random) + "\n")) {
            return fail("secret " + path + " cannot be written (" + reason() + "); check the data folder");
        }
    }
    std::ifstream file(path);
    std::string secret;
    if (!std::getline(file, secret) || secret.size() < 32) {
        return fail("secret " + path +
                    " cannot be read or is damaged; delete it to get a new one, or set JWT_SECRET_KEY");
    }
    return secret;
}

}  // namespace app
