#pragma once

#define P11_KIT_FUTURE_UNSTABLE_API
#include <p11-kit/p11-kit.h>

#include <deque>
#include <filesystem>
#include <string>

#include "softhsm-tests/support/temporary_directory.h"

namespace p11mime::test {

/// P11KitConfiguration is a configuration of p11-kit's for this process alone.
class P11KitConfiguration {
  public:
    P11KitConfiguration() {
        std::filesystem::create_directory(directory_ / "modules");
        std::filesystem::create_directory(directory_ / "none");
        write_file(directory_ / "pkcs11.conf", "user-config: none\n");
        p11_kit_override_system_files(keep("pkcs11.conf"), keep("no.conf"), keep("modules"), keep("none"),
                                      keep("none"));
    }

    void add(const std::string& name, const std::string& content) const {
        write_file(directory_ / ("modules/" + name + ".module"), content);
    }

  private:
    /// keep makes a path that lasts as long as the process, since p11-kit does not copy it.
    const char* keep(const std::string& name) const {
        static std::deque<std::string> kept;
        return kept.emplace_back(directory_ / name).c_str();
    }

    TemporaryDirectory directory_;
};

}  // namespace p11mime::test
