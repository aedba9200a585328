#include "cli/certificate_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "cli/input.h"
#include "cli/system_error.h"
#include "mime/codec.h"
#include "mime/content_type.h"
#include "mime/error.h"
#include "mime/header.h"

namespace p11mime::cli {

namespace {

constexpr std::size_t kLongestFile = 16 * 1024 * 1024;
constexpr int kMostOfOneHash = 100;

// The decoded body of a mail or entity that is S/MIME (certs-only, RFC 8551 section 3.7); nothing for anything else.
std::optional<Bytes> smime_body(ByteView bytes) {
    if (!mime::looks_like_header(bytes, false)) return std::nullopt;
    ViewSource source(bytes);
    Window window(source);
    try {
        const mime::Header header = mime::read_header(window, true);
        const std::string type = mime::content_type(header).value;
        if (type != "application/pkcs7-mime" && type != "application/x-pkcs7-mime") return std::nullopt;
        const auto body = mime::decode(window, mime::transfer_encoding(header));
        return read_all(*body, kLongestFile, "a certificate file");
    } catch (const Error&) {
        return std::nullopt;
    }
}

Bytes read_bytes(const std::string& path) {
    const auto input = FileInput::open_path(path, {});
    const auto source = input->open();
    return read_all(*source, kLongestFile, "a certificate file");
}

bool is_broken(ByteView file) {
    return has_armour(file, "CERTIFICATE");
}

std::vector<cms::Certificate> certificates_in(ByteView file, const std::string& path) {
    try {
        const auto body = smime_body(file);
        return cms::Certificate::from_file_bytes(body ? *body : file);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) throw;
        if (is_broken(file))
            throw Error(ErrorKind::malformed, fmt::format("a certificate in '{}' is broken", path), "get it anew");
        // What the parsers of each form had to say would only confuse.
        throw Error(ErrorKind::malformed, fmt::format("not a certificate: '{}'", path),
                    "certificates are read from PEM, DER, PKCS#7 and certs-only mail");
    }
}

std::vector<cms::Certificate> read_all_of(const std::string& path, const Warn& warn) {
    std::vector<cms::Certificate> all;
    for (const std::string& file : files_at(path)) {
        const Bytes bytes = read_bytes(file);
        try {
            for (auto& certificate : certificates_in(bytes, file))
                all.push_back(std::move(certificate));
        } catch (const Error& error) {
            if (file == path || error.kind() != ErrorKind::malformed) throw;
            if (is_broken(bytes)) warn(fmt::format("{}; what is in that file does not count", error.what()));
        }
    }
    return all;
}

}  // namespace

bool has_armour(ByteView file, std::string_view kind) {
    return text_of(file).find(fmt::format("{}-----", kind)) != std::string_view::npos;
}

std::vector<std::string> files_at(const std::string& path) {
    std::error_code failure;
    if (!std::filesystem::is_directory(path, failure)) return {path};
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(path, failure))
        if (entry.is_regular_file(failure)) files.push_back(entry.path().string());
    if (failure) throw Error(ErrorKind::io, fmt::format("cannot read '{}': {}", path, failure.message()));
    std::sort(files.begin(), files.end());
    return files;
}

std::vector<cms::Certificate> read_certificates(const std::string& path) {
    return certificates_in(read_bytes(path), path);
}

CertificateFiles::CertificateFiles(std::vector<std::string> paths, Warn warn)
    : paths_(std::move(paths)), warn_(std::move(warn)) {
    for (const std::string& path : paths_) {
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0) throw system_error(fmt::format("cannot open '{}'", path), errno);
    }
}

cms::MemoryCertificates& CertificateFiles::loaded() {
    const std::lock_guard lock(mutex_);
    if (!loaded_) {
        std::vector<cms::Certificate> all;
        for (const std::string& path : paths_)
            for (auto& certificate : read_all_of(path, warn_))
                all.push_back(std::move(certificate));
        loaded_ = std::make_unique<cms::MemoryCertificates>(std::move(all));
    }
    return *loaded_;
}

std::vector<cms::Certificate> CertificateFiles::by_subject(ByteView name_der) {
    return loaded().by_subject(name_der);
}

std::vector<cms::Certificate> CertificateFiles::by_identifier(const cms::RecipientIdentifier& identifier) {
    return loaded().by_identifier(identifier);
}

std::vector<cms::Certificate> SystemAnchors::by_subject(ByteView name_der) {
    const char* set = std::getenv(X509_get_default_cert_dir_env());
    const std::string directory = set != nullptr ? set : X509_get_default_cert_dir();
    const std::uint32_t hash = cms::name_hash(name_der);
    std::vector<cms::Certificate> found;
    for (int number = 0; number < kMostOfOneHash; ++number) {
        const std::string file = fmt::format("{}/{:08x}.{}", directory, hash, number);
        if (!std::filesystem::exists(file)) break;
        const auto there = read_certificates(file);
        found.insert(found.end(), there.begin(), there.end());
    }
    // Names with one hash need not be one name.
    return cms::MemoryCertificates(std::move(found)).by_subject(name_der);
}

}  // namespace p11mime::cli
