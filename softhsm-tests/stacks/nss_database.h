#pragma once

#include <string>

#include "softhsm-tests/support/desk.h"

namespace p11mime::test {

/// NssDatabase is the keys and certificates of a Thunderbird or Firefox profile, in the desk's directory. It needs the
/// packages libnss3 and libnss3-tools.
class NssDatabase {
  public:
    static constexpr const char* kModule = "/usr/lib/x86_64-linux-gnu/libsoftokn3.so";
    static constexpr const char* kLabel = "NSS Certificate DB";

    NssDatabase(const Desk& desk, const std::string& password);

    /// arguments is what the module is started with.
    std::string arguments() const;
    /// import puts a key from software and its certificate into it.
    void import(const Identity& identity) const;

  private:
    const Desk& desk_;
    std::string database_;
    std::string password_file_;
};

}  // namespace p11mime::test
