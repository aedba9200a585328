#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cms/memory_certificates.h"

namespace p11mime::cli {

/// read_certificates reads every certificate in a file ("-" for standard input): PEM, DER or a certs-only PKCS#7
/// bundle. Throws Error(io), or Error(malformed) naming the file.
std::vector<cms::Certificate> read_certificates(const std::string& path);

/// files_at is a file itself, or the regular files of a directory, by name. Throws Error(io).
std::vector<std::string> files_at(const std::string& path);

/// has_armour says whether a file has a line that begins PEM of a kind ("X509 CRL"), so that one which cannot be read
/// is broken and not something else.
bool has_armour(ByteView file, std::string_view kind);

/// Warn tells a person one line.
using Warn = std::function<void(const std::string& line)>;

/// CertificateFiles gives the certificates in files, and in the files of directories (what is no certificate there is
/// passed over, with a warning where it is a broken one). They are read at first use. Safe for several threads.
class CertificateFiles final : public cms::CertificateSource {
  public:
    /// Throws Error(io) where one of the paths does not exist.
    CertificateFiles(std::vector<std::string> paths, Warn warn);

    std::vector<cms::Certificate> by_subject(ByteView name_der) override;
    std::vector<cms::Certificate> by_identifier(const cms::RecipientIdentifier& identifier) override;

  private:
    cms::MemoryCertificates& loaded();

    std::vector<std::string> paths_;
    Warn warn_;
    std::mutex mutex_;
    std::unique_ptr<cms::MemoryCertificates> loaded_;
};

/// SystemAnchors gives the roots of the machine's TLS store, by the hashed names of OpenSSL's certificate directory, so
/// that none but the ones asked for is parsed.
class SystemAnchors final : public cms::CertificateSource {
  public:
    std::vector<cms::Certificate> by_subject(ByteView name_der) override;
    /// by_identifier knows none: the store has no index by serial number.
    std::vector<cms::Certificate> by_identifier(const cms::RecipientIdentifier&) override { return {}; }
};

}  // namespace p11mime::cli
