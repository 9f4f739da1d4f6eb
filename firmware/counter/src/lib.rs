//! # A plugin of QEMU: how many instructions the guest executes between two functions
//!
//! `-plugin libcounter.so,begin=0xADDRESS,end=0xADDRESS -d plugin` prints `counted N` each time that
//! the guest reaches `end` after `begin`. The count is exact, and the same on every machine.
//!
//! The declarations are those of version 1 of QEMU's plugin interface (`qemu-plugin.h`), as far as
//! they are used. The guest has one core, so one thread calls all of this.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// QEMU reads which interface this plugin was written for.
#[unsafe(no_mangle)]
pub static qemu_plugin_version: c_int = 1;

static BEGIN: AtomicU64 = AtomicU64::new(0);
static END: AtomicU64 = AtomicU64::new(0);
/// Instructions so far; QEMU counts in line, without a call.
static EXECUTED: AtomicU64 = AtomicU64::new(0);
static AT_BEGIN: AtomicU64 = AtomicU64::new(u64::MAX);

type Callback = unsafe extern "C" fn(c_uint, *mut c_void);

unsafe extern "C" {
    fn qemu_plugin_register_vcpu_tb_trans_cb(
        id: u64,
        callback: unsafe extern "C" fn(u64, *mut c_void),
    );
    fn qemu_plugin_register_vcpu_insn_exec_cb(
        instruction: *mut c_void,
        callback: Callback,
        flags: c_int,
        data: *mut c_void,
    );
    fn qemu_plugin_register_vcpu_insn_exec_inline(
        instruction: *mut c_void,
        operation: c_int,
        counter: *mut c_void,
        step: u64,
    );
    fn qemu_plugin_tb_n_insns(block: *const c_void) -> usize;
    fn qemu_plugin_tb_get_insn(block: *const c_void, index: usize) -> *mut c_void;
    fn qemu_plugin_insn_vaddr(instruction: *const c_void) -> u64;
    fn qemu_plugin_outs(text: *const c_char);
}

/// QEMU calls this once, with the arguments behind the plugin's name.
///
/// # Safety
///
/// `arguments` are `count` strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn qemu_plugin_install(
    id: u64,
    _: *const c_void,
    count: c_int,
    arguments: *const *const c_char,
) -> c_int {
    for index in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: index < count.
        let argument = unsafe { CStr::from_ptr(*arguments.add(index)) };
        let address = |name: &str| {
            let value = argument.to_str().ok()?.strip_prefix(name)?;
            u64::from_str_radix(value, 16).ok()
        };
        match (address("begin=0x"), address("end=0x")) {
            (Some(begin), _) => BEGIN.store(begin & !1, Relaxed),
            (_, Some(end)) => END.store(end & !1, Relaxed),
            _ => return -1,
        }
    }
    // SAFETY: as QEMU asks for it.
    unsafe { qemu_plugin_register_vcpu_tb_trans_cb(id, translated) };
    0
}

/// Puts a counter before each instruction of a block that is about to be run.
unsafe extern "C" fn translated(_: u64, block: *mut c_void) {
    const ADD: c_int = 0;
    const NO_REGISTERS: c_int = 0;
    // SAFETY: QEMU hands over a block, whose instructions are taken by their number.
    unsafe {
        for index in 0..qemu_plugin_tb_n_insns(block) {
            let instruction = qemu_plugin_tb_get_insn(block, index);
            let address = qemu_plugin_insn_vaddr(instruction) & !1;
            for (marker, callback) in [(&BEGIN, begin as Callback), (&END, end)] {
                if address == marker.load(Relaxed) {
                    qemu_plugin_register_vcpu_insn_exec_cb(
                        instruction,
                        callback,
                        NO_REGISTERS,
                        null_mut(),
                    );
                }
            }
            let counter = EXECUTED.as_ptr().cast();
            qemu_plugin_register_vcpu_insn_exec_inline(instruction, ADD, counter, 1);
        }
    }
}

unsafe extern "C" fn begin(_: c_uint, _: *mut c_void) {
    AT_BEGIN.store(EXECUTED.load(Relaxed), Relaxed);
}

unsafe extern "C" fn end(_: c_uint, _: *mut c_void) {
    let Some(counted) = EXECUTED.load(Relaxed).checked_sub(AT_BEGIN.load(Relaxed)) else {
        return;
    };
    if let Ok(text) = CString::new(format!("counted {counted}\n")) {
        // SAFETY: a string that ends with 0.
        unsafe { qemu_plugin_outs(text.as_ptr()) };
    }
}
