#pragma once

#include <optional>
#include <string>
#include <vector>

#include "softhsm-tests/support/process.h"
#include "softhsm-tests/support/temporary_directory.h"

namespace p11mime::test {

/// DirectoryServer is OpenLDAP's slapd on a port of its own of 127.0.0.1, with people below kBase.
class DirectoryServer {
  public:
    static constexpr const char* kBase = "dc=example,dc=gov";
    struct Person {
        std::string name;
        std::string email;
        std::vector<std::string> certificates;  ///< DER
    };

    explicit DirectoryServer(const std::vector<Person>& people);

    /// url is where to search.
    std::string url() const;
    /// installed says whether there is a slapd here.
    static bool installed();

  private:
    TemporaryDirectory directory_;
    int port_;
    std::optional<Background> server_;
};

}  // namespace p11mime::test
