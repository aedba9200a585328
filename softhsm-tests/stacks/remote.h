#pragma once

#include "softhsm-tests/stacks/stack.h"

namespace p11mime::test {

/// RemoteStack is a token on another machine: p11-kit's server has the desk's SoftHSM, and its client is the module.
class RemoteStack final : public Stack {
  public:
    static constexpr const char* kModule = "/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so";

    /// need throws Unavailable where a package is missing.
    static void need();
    RemoteStack();

    void remove() override { server_->kill(); }
    /// group is the server and what it has started for each connection, as kill(2) takes a process group.
    pid_t group() const { return -server_->pid(); }
    /// restart starts the server anew, with another module in the place of SoftHSM's and more in its environment.
    void restart(const std::string& module, const std::map<std::string, std::string>& more);

  private:
    Identity put(const Leaf& leaf) override { return import(leaf); }

    std::optional<Background> server_;
};

}  // namespace p11mime::test
