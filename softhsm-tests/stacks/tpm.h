#pragma once

#include "softhsm-tests/stacks/stack.h"

namespace p11mime::test {

/// TpmStack is a TPM in software and tpm2-pkcs11 on it.
class TpmStack final : public Stack {
  public:
    /// A machine with a TPM has a resource manager before it. Without one a key that asks for the PIN each time runs
    /// out of the TPM's few sessions, and those that a program leaves behind stay.
    enum class Way { resource_manager, direct };

    static constexpr const char* kModule = "/usr/lib/x86_64-linux-gnu/pkcs11/libtpm2_pkcs11.so";

    /// need throws Unavailable where a package is missing.
    static void need(Way way);
    explicit TpmStack(Way way);

    pid_t pid() const { return tpm_->pid(); }
    void need_puk() override;
    void remove() override { tpm_->kill(); }
    /// restart starts the TPM anew with what it held at the last keep(): it takes each crash for a try with a wrong
    /// PIN, and locks after a few.
    void restart();
    void keep() const;
    /// sessions are those that programs have left in the TPM, as tpm2_getcap lists them; the way must be direct.
    std::string sessions() const;

  private:
    Identity put(const Leaf& leaf) override { return generate(leaf); }

    void start_manager();
    std::string directory(const std::string& name) const;
    std::string socket(const std::string& name) const { return office.desk.path(name + ".socket"); }
    std::string control() const { return socket("tpm") + ".ctrl"; }  // where libtss2-tcti-swtpm looks for it
    std::string log(const std::string& name) const { return office.desk.path(name + ".log"); }

    std::optional<Background> tpm_;
    std::optional<Background> bus_;
    std::optional<Background> manager_;
};

}  // namespace p11mime::test
