/* SPDX-License-Identifier: Apache-2.0
 *
 * What the hosting interfaces need of COM: types, results, IUnknown. Included by hosting.h, not
 * meant to be included alone.
 *
 * Names, widths and values are those of the Windows SDK, the .NET PAL and the WSL stubs; where
 * one of these was included first, its definitions are taken. Wine's headers compile too, but
 * stand for Windows' calling convention, which libfencepost does not have.
 */
#ifndef FENCEPOST_COM_H
#define FENCEPOST_COM_H

#include <stddef.h>
#include <stdint.h>

/* A compiler for Windows has the SDK's own, and the WSL stubs may be in reach: then these come
 * first in either order, because they do not look whether they do. */
#ifdef _WIN32
#include <windows.h>
#include <unknwn.h>
#elif defined(__has_include)
#if __has_include(<unknwnbase.h>)
#include <unknwn.h>
#endif
#endif

#ifndef FP_API
#define FP_API __attribute__((visibility("default")))
#endif

/* An object of libfencepost. */
#ifdef __cplusplus
#define FP_API_DATA extern "C" FP_API
#else
#define FP_API_DATA extern FP_API
#endif

/* ---- Types ------------------------------------------------------------------------- */

/* HRESULT is 32 bits and signed on every machine: never `long`. */
#if !defined(STDMETHODCALLTYPE) && !defined(__PAL_MSTYPES_H__) && !defined(_WINDEF_)
typedef uint32_t ULONG;
typedef uint32_t DWORD;
typedef size_t SIZE_T;
typedef void *LPVOID;
#ifndef FP_NO_SDK_NAMES
typedef void VOID;
typedef void *PVOID;
typedef void *HANDLE;
typedef int32_t BOOL;
typedef int32_t LONG;
typedef uint32_t UINT;
typedef uint8_t BYTE;
typedef uint16_t WORD;
typedef uint64_t UINT64;
typedef uintptr_t ULONG_PTR;
typedef wchar_t WCHAR; /* of 4 bytes, as in the WSL stubs; no interface here has one */
typedef const wchar_t *LPCWSTR;
#endif
#ifndef _HRESULT_DEFINED
#define _HRESULT_DEFINED
typedef int32_t HRESULT;
#endif
#endif

#ifndef STDMETHODCALLTYPE
#define STDMETHODCALLTYPE
#endif

#ifndef CONST_VTBL
#ifdef CONST_VTABLE
#define CONST_VTBL const
#else
#define CONST_VTBL
#endif
#endif

#if !defined(GUID_DEFINED) && !defined(DEFINE_GUID)
#define GUID_DEFINED
typedef struct _GUID {
	uint32_t Data1;
	uint16_t Data2;
	uint16_t Data3;
	uint8_t Data4[8];
} GUID;
#ifndef __IID_DEFINED__
#define __IID_DEFINED__
typedef GUID IID;
#endif
typedef GUID CLSID;

#ifdef __cplusplus
inline bool operator==(const GUID &a, const GUID &b)
{
	return __builtin_memcmp(&a, &b, sizeof(a)) == 0;
}

inline bool operator!=(const GUID &a, const GUID &b)
{
	return !(a == b);
}
#endif
#endif

#ifdef __cplusplus
#define FP_REFERENCE &
#else
#define FP_REFERENCE *
#endif
#ifndef REFGUID
#define REFGUID const GUID FP_REFERENCE
#endif
#ifndef REFIID
#define REFIID const IID FP_REFERENCE
#endif
#ifndef REFCLSID
#define REFCLSID const CLSID FP_REFERENCE
#endif

#include <fencepost/sdk.h>

/* Declares the identifier of an interface, and tells __uuidof of it. */
#ifndef __CRT_UUID_DECL
#define __CRT_UUID_DECL(type, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)
#endif
#ifdef FP_DEFINE_IIDS
#define FP_IID(name, type, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)                          \
	FP_API_DATA const IID name;                                                            \
	const IID name = {l, w1, w2, {b1, b2, b3, b4, b5, b6, b7, b8}};
#else
#define FP_IID(name, type, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)                          \
	FP_API_DATA const IID name;                                                            \
	__CRT_UUID_DECL(type, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)
#endif

/* ---- Results ----------------------------------------------------------------------- */

#ifndef SUCCEEDED
#define SUCCEEDED(hr) (((HRESULT)(hr)) >= 0)
#define FAILED(hr) (((HRESULT)(hr)) < 0)
#endif

#ifndef S_OK
#define S_OK ((HRESULT)0)
#define S_FALSE ((HRESULT)1)
#endif

#ifndef E_FAIL
#define E_NOTIMPL ((HRESULT)0x80004001)
#define E_NOINTERFACE ((HRESULT)0x80004002)
#define E_POINTER ((HRESULT)0x80004003)
#define E_ABORT ((HRESULT)0x80004004)
#define E_FAIL ((HRESULT)0x80004005)
#define E_UNEXPECTED ((HRESULT)0x8000FFFF)
#define E_ACCESSDENIED ((HRESULT)0x80070005)
#define E_HANDLE ((HRESULT)0x80070006)
#define E_OUTOFMEMORY ((HRESULT)0x8007000E)
#define E_INVALIDARG ((HRESULT)0x80070057)
#endif

/* ---- IUnknown ---------------------------------------------------------------------- */

#ifndef __IUnknown_FWD_DEFINED__
#define __IUnknown_FWD_DEFINED__
typedef struct IUnknown IUnknown;
#endif

/*
 * QueryInterface(riid, ppvObject): the object's interface riid, with a reference that the
 *   caller owns, or NULL in *ppvObject. IID_IUnknown always gives the same pointer.
 *   E_NOINTERFACE  the object has no such interface
 *   E_POINTER      ppvObject, or riid in C, is NULL
 *
 * AddRef(), Release(): the count after the call, for diagnosis only. Atomic. The creator of
 *   an object owns one reference; the last Release ends the object.
 */
/* One method a line, as in the SDK. */
/* clang-format off */
#ifndef __IUnknown_INTERFACE_DEFINED__
#define __IUnknown_INTERFACE_DEFINED__
FP_IID(IID_IUnknown, IUnknown, 0x00000000, 0x0000, 0x0000, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x46)

#if defined(__cplusplus) && !defined(CINTERFACE)
struct IUnknown {
	virtual HRESULT STDMETHODCALLTYPE QueryInterface(REFIID riid, void **ppvObject) = 0;
	virtual ULONG STDMETHODCALLTYPE AddRef() = 0;
	virtual ULONG STDMETHODCALLTYPE Release() = 0;
};
#else
typedef struct IUnknownVtbl {
	HRESULT (STDMETHODCALLTYPE *QueryInterface)(IUnknown *This, REFIID riid, void **ppvObject);
	ULONG (STDMETHODCALLTYPE *AddRef)(IUnknown *This);
	ULONG (STDMETHODCALLTYPE *Release)(IUnknown *This);
} IUnknownVtbl;

struct IUnknown {
	CONST_VTBL struct IUnknownVtbl *lpVtbl;
};

#ifdef COBJMACROS
#define IUnknown_QueryInterface(This, riid, ppvObject) \
	((This)->lpVtbl->QueryInterface(This, riid, ppvObject))
#define IUnknown_AddRef(This) ((This)->lpVtbl->AddRef(This))
#define IUnknown_Release(This) ((This)->lpVtbl->Release(This))
#endif
#endif
#endif
/* clang-format on */

#endif /* FENCEPOST_COM_H */
