#pragma once

#include <libp11.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "token/cryptoki.h"
#include "token/token_info.h"

namespace p11mime::token {

/// Slot is a slot as libp11 lists it, and the token in it.
struct Slot {
    unsigned long id = 0;
    std::string description;
    std::optional<TokenInfo> token;
};

/// Module is a loaded PKCS#11 module, initialised for use by several threads. libp11 loads it and lists its slots;
/// calls() is the function list of the same file for everything else. It goes away in this order: C_Finalize of an
/// instance that we initialised, the slot lists, libp11's C_Finalize and dlclose, our dlclose. Sessions hold the
/// module, so they are closed by then.
class Module {
  public:
    /// load returns the one instance of the file that is in use. It throws Error(token) where the file is no PKCS#11
    /// module or does not initialise.
    static std::shared_ptr<Module> load(const std::string& path);
    ~Module();
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;

    const std::string& path() const { return path_; }
    const CK_FUNCTION_LIST& calls() const { return *calls_; }
    /// threads says whether several threads may call the module at a time.
    bool threads() const { return threads_; }

    /// slots lists all slots afresh. The lists that libp11 made are kept to the end: releasing one would close every
    /// session on its slots. Throws Error(token).
    std::vector<Slot> slots();

  private:
    struct Library;  // dlopen and dlclose
    struct Context;  // PKCS11_CTX and its slot lists

    explicit Module(const std::string& path);
    void initialize();
    TokenInfo describe(const PKCS11_SLOT& slot) const;
    unsigned long slot_in_own_instance(const TokenInfo& token) const;

    std::string path_;
    std::unique_ptr<Library> library_;
    std::unique_ptr<Context> context_;
    CK_FUNCTION_LIST* calls_ = nullptr;
    bool own_instance_ = false;
    bool threads_ = true;
    std::string library_version_;
};

/// read_token_info is C_GetTokenInfo now, for the flags that change; what only libp11's listing knows is taken from
/// `known`. Throws Error(token) where the slot is empty or holds another token by now.
TokenInfo read_token_info(const Module& module, const TokenInfo& known);

/// token_name is how messages name a token: "token 'LABEL'".
std::string token_name(const TokenInfo& token);

}  // namespace p11mime::token
