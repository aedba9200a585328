#pragma once

#include <optional>
#include <string>

#include "softhsm-tests/support/process.h"
#include "softhsm-tests/support/temporary_directory.h"

namespace p11mime::test {

/// DirectoryServer is OpenLDAP's slapd on a port of its own of 127.0.0.1, with the suffix "o=Example", until it is
/// destroyed. It needs the package slapd.
class DirectoryServer {
  public:
    /// `ldif` is all that it has, the suffix's entry too.
    explicit DirectoryServer(const std::string& ldif);

    /// installed says whether there is a slapd here.
    static bool installed();

    /// url is "ldap://127.0.0.1:PORT/" and what follows.
    std::string url(const std::string& rest) const;

  private:
    bool answers() const;

    TemporaryDirectory directory_;
    int port_ = 0;
    std::optional<Background> server_;
};

}  // namespace p11mime::test
