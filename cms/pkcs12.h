#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cms/certificate.h"
#include "cms/secret.h"

namespace p11mime::cms {

/// ExportedKey is a private key out of a PKCS#12 file, with the certificates for it. This and what reads and imports it
/// are the one place where a private key is in the program's memory; OpenSSL wipes it when it is freed.
struct ExportedKey {
    KeyHandle key;
    std::string name;                       ///< friendlyName, "" where there is none
    std::vector<Certificate> certificates;  ///< the newest first
};

/// Pkcs12 is what a PKCS#12 file (RFC 7292) holds.
struct Pkcs12 {
    std::vector<ExportedKey> keys;
    std::vector<Certificate> others;  ///< of CAs mostly
};

/// Pkcs12File is such a file before its password is known.
class Pkcs12File {
  public:
    /// from_bytes takes DER, in wiped memory because a file may have its private key unencrypted. Throws
    /// Error(malformed), also where it asks for more work than any program that writes such files does.
    static Pkcs12File from_bytes(SecretBytes bytes);

    /// open decrypts what is in it; nothing where the password is wrong. Throws Error(malformed). The legacy algorithms
    /// (RC2, DES) come from OpenSSL's legacy provider, which is loaded for a file that needs it alone.
    std::optional<Pkcs12> open(const SecretBytes& password) const;

  private:
    explicit Pkcs12File(SecretBytes der) : der_(std::move(der)) {}
    SecretBytes der_;
};

}  // namespace p11mime::cms
