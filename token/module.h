#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "token/cryptoki.h"
#include "token/module_file.h"
#include "token/token_info.h"
#include "token/turns.h"

namespace p11mime::token {

/// Slot is a slot, and the token in it.
struct Slot {
    unsigned long id = 0;
    std::string description;
    bool removable = false;
    std::optional<TokenInfo> token;
};

/// Module is a loaded PKCS#11 module, initialised for use by several threads. It goes away in this order: C_Finalize
/// where this initialised it, dlclose. Sessions hold the module, so they are closed by then.
class Module {
  public:
    /// load returns the one instance of the file that is in use. It throws Error(token) where the file is no PKCS#11
    /// module or does not initialise, and where it is in use with other arguments. `turns`: null for threads alone.
    static std::shared_ptr<Module> load(const ModuleFile& file, std::shared_ptr<Turns> turns = nullptr);
    static std::shared_ptr<Module> load(const std::string& path) { return load(ModuleFile{path, {}}); }
    ~Module();
    Module(const Module&) = delete;
    Module& operator=(const Module&) = delete;

    const std::string& path() const { return path_; }
    const CK_FUNCTION_LIST& calls() const;
    /// threads says whether several threads may call the module at a time.
    bool threads() const;

    /// turns are what it was first loaded with.
    Turns& turns() const { return *turns_; }

    /// slots lists all slots afresh, readers that were plugged in meanwhile too. Throws CkrError.
    std::vector<Slot> slots() const;

  private:
    struct Library;   // dlopen and dlclose
    struct Instance;  // C_Initialize and C_Finalize

    Module(const ModuleFile& file, std::shared_ptr<Turns> turns);
    std::string name() const;
    std::vector<CK_SLOT_ID> slot_ids() const;
    std::optional<TokenInfo> token_in(CK_SLOT_ID slot, const CK_SLOT_INFO& slot_info) const;

    std::string path_;
    std::string arguments_;
    std::unique_ptr<Library> library_;
    std::shared_ptr<Turns> turns_;
    std::unique_ptr<Instance> instance_;
    CK_INFO info_{};
};

/// read_token_info is C_GetTokenInfo now, for the flags that change. Throws Error(token) where the slot is empty or
/// holds another token by now.
TokenInfo read_token_info(const Module& module, const TokenInfo& known);

/// token_name is how messages name a token: "token 'LABEL'".
std::string token_name(const TokenInfo& token);

}  // namespace p11mime::token
