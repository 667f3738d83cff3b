/* SPDX-License-Identifier: Apache-2.0
 *
 * Words of the Windows SDK that hosts are written with, beyond what the interfaces themselves
 * need: for sources that were written for Windows' headers. Included by com.h, not meant to be
 * included alone.
 *
 * Each is left as it is where another header defined it first. FP_NO_SDK_NAMES, defined before
 * the first header of ours, leaves all of them out, and the types LONG, BOOL, HANDLE and the
 * like of com.h. The words `interface`, `IN` and `OUT` are too common for a header on Linux:
 * compile sources that use them with -Dinterface=struct -DIN= -DOUT=.
 */
#include <fencepost/com.h>

#ifndef FENCEPOST_SDK_H
#define FENCEPOST_SDK_H

/* A compiler for Windows has the SDK's own. */
#if !defined(FP_NO_SDK_NAMES) && !defined(_WIN32)

/* ---- Calling conventions: there is one ------------------------------------------------ */

#ifndef __stdcall
#define __stdcall
#endif
#ifndef WINAPI
#define WINAPI
#endif
#ifndef EXTERN_C
#ifdef __cplusplus
#define EXTERN_C extern "C"
#else
#define EXTERN_C extern
#endif
#endif

/* ---- Methods ------------------------------------------------------------------------ */

#ifndef STDMETHODIMP
#define STDMETHODIMP HRESULT STDMETHODCALLTYPE
#define STDMETHODIMP_(type) type STDMETHODCALLTYPE
#endif

/* One method a line, as in the SDK. */
/* clang-format off */
#ifndef STDMETHOD
#if defined(__cplusplus) && !defined(CINTERFACE)
#define STDMETHOD(method) virtual HRESULT STDMETHODCALLTYPE method
#define STDMETHOD_(type, method) virtual type STDMETHODCALLTYPE method
#define PURE = 0
#define THIS_
#define THIS void
#define DECLARE_INTERFACE(iface) struct iface
#define DECLARE_INTERFACE_(iface, base) struct iface : public base
#else
#define STDMETHOD(method) HRESULT (STDMETHODCALLTYPE *method)
#define STDMETHOD_(type, method) type (STDMETHODCALLTYPE *method)
#define PURE
#define THIS_ INTERFACE *This,
#define THIS INTERFACE *This
#define DECLARE_INTERFACE(iface) \
	typedef struct iface { CONST_VTBL struct iface##Vtbl *lpVtbl; } iface; \
	typedef struct iface##Vtbl iface##Vtbl; \
	struct iface##Vtbl
#define DECLARE_INTERFACE_(iface, base) DECLARE_INTERFACE(iface)
#endif
#endif
/* clang-format on */

/* ---- Identifiers: by reference in C++, by pointer in C --------------------------------- */

#ifndef IsEqualGUID
#ifdef __cplusplus
#define IsEqualGUID(a, b) ((a) == (b))
#else
#define IsEqualGUID(a, b) (__builtin_memcmp(a, b, sizeof(GUID)) == 0)
#endif
#endif
#ifndef IsEqualIID
#define IsEqualIID(a, b) IsEqualGUID(a, b)
#endif
#ifndef IsEqualCLSID
#define IsEqualCLSID(a, b) IsEqualGUID(a, b)
#endif

/* __uuidof(an interface, or a pointer to one), of those that were declared with
 * __CRT_UUID_DECL, as mingw-w64 and the WSL stubs name it: ours are. */
#if defined(__cplusplus) && !defined(__CRT_UUID_DECL)
extern "C++" {
template <typename T> const IID &fp_uuidof();
}
#define __CRT_UUID_DECL(type, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)                       \
	extern "C++" {                                                                         \
	template <> inline const IID &fp_uuidof<type>()                                        \
	{                                                                                      \
		static const IID iid = {l, w1, w2, {b1, b2, b3, b4, b5, b6, b7, b8}};          \
		return iid;                                                                    \
	}                                                                                      \
	template <> inline const IID &fp_uuidof<type *>()                                      \
	{                                                                                      \
		return fp_uuidof<type>();                                                      \
	}                                                                                      \
	}
#define __uuidof(what) fp_uuidof<__typeof__(what)>()
#endif

/* Two arguments for QueryInterface and its like: what *pointer can take, and where it is. */
#if defined(__cplusplus) && !defined(CINTERFACE) && !defined(IID_PPV_ARGS)
struct IUnknown;
extern "C++" {
template <typename T> void **IID_PPV_ARGS_Helper(T **pointer)
{
	static_cast<void>(static_cast<IUnknown *>(*pointer));
	return reinterpret_cast<void **>(pointer);
}
}
#define IID_PPV_ARGS(pointer) __uuidof(**(pointer)), IID_PPV_ARGS_Helper(pointer)
#endif

/* ---- Results, numbers ----------------------------------------------------------------- */

#ifndef HRESULT_FROM_WIN32
#define HRESULT_FROM_WIN32(code)                                                               \
	((HRESULT)(code) <= 0 ? (HRESULT)(code)                                                \
	                      : (HRESULT)(((uint32_t)(code)&0xFFFFu) | 0x80070000u))
#endif
#ifndef ERROR_SUCCESS
#define ERROR_SUCCESS 0
#endif
#ifndef ERROR_NOT_ENOUGH_MEMORY
#define ERROR_NOT_ENOUGH_MEMORY 8
#endif
#ifndef ERROR_OUTOFMEMORY
#define ERROR_OUTOFMEMORY 14
#endif
#ifndef ERROR_INVALID_PARAMETER
#define ERROR_INVALID_PARAMETER 87
#endif
#ifndef ERROR_INVALID_ADDRESS
#define ERROR_INVALID_ADDRESS 487
#endif

#ifndef TRUE
#define TRUE 1
#define FALSE 0
#endif

/* What every host counts its references with: the new value. */
#ifndef InterlockedIncrement
#define InterlockedIncrement(count) __atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST)
#define InterlockedDecrement(count) __atomic_sub_fetch(count, 1, __ATOMIC_SEQ_CST)
#endif

/* ---- Annotations for Microsoft's analysis: nothing here --------------------------------- */

#ifndef _In_
#define _In_
#endif
#ifndef _In_z_
#define _In_z_
#endif
#ifndef _In_opt_
#define _In_opt_
#endif
#ifndef _In_opt_z_
#define _In_opt_z_
#endif
#ifndef _Out_
#define _Out_
#endif
#ifndef _Out_opt_
#define _Out_opt_
#endif
#ifndef _Inout_
#define _Inout_
#endif
#ifndef _Outptr_
#define _Outptr_
#endif
#ifndef _Outptr_result_maybenull_
#define _Outptr_result_maybenull_
#endif
#ifndef _COM_Outptr_
#define _COM_Outptr_
#endif

#endif /* FP_NO_SDK_NAMES */

#endif /* FENCEPOST_SDK_H */
